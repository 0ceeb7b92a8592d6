begin;
select plan(9);
select is(util.fn_round_half_even(r.amount, r.decimals), r.wanted, format('%s to %s decimals', r.amount, r.decimals))
from (values
    (0.125, 2, 0.12), (0.135, 2, 0.14), (-0.125, 2, -0.12), (-0.135, 2, -0.14), (0.1250000001, 2, 0.13), (2.5, 0, 2),
    (3.5, 0, 4), (79.99998, 2, 80.00), (0, 2, 0)
) as r (amount, decimals, wanted);
select * from finish();
rollback;
