CASE
    WHEN {at} > %(since_{months}m)s THEN
        CASE
            -- It leaves today, at its time of day.
            WHEN {at} < %(since_{months}m_day)s + interval '24 hours'
            THEN %(today)s + ({at} - %(since_{months}m_day)s)
            -- It leaves on the same day of the month; where that month has no such day, when the
            -- month is over.
            WHEN date_part('day', {at} AT TIME ZONE 'UTC' + interval '{months} months')
                = date_part('day', {at} AT TIME ZONE 'UTC')
            THEN ({at} AT TIME ZONE 'UTC' + interval '{months} months') AT TIME ZONE 'UTC'
            ELSE (date_trunc('month', {at} AT TIME ZONE 'UTC' + interval '{months} months')
                + interval '1 month') AT TIME ZONE 'UTC'
        END
    WHEN {at} > %(returns_after_{months}m)s THEN %(midnight)s
END
