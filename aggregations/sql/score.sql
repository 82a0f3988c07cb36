CASE WHEN {won} * 100 >= {total} * 80 THEN 1
     WHEN {won} * 100 >= {total} * 60 THEN 2
     WHEN {won} * 100 >= {total} * 40 THEN 3
     WHEN {won} * 100 >= {total} * 20 THEN 4
     WHEN {won} > 0 THEN 5 END
