begin;
select plan(5);
insert into admin.customer (customer, cost_budget_daily) select 'many ' || n, n from generate_series(1, 20) as n;
select is((select count(*) from admin.customer where customer like 'many %'), 20::bigint, 'inserted at once');
update admin.customer set cost_budget_daily = cost_budget_daily * 2 where customer like 'many %';
select is((select sum(cost_budget_daily) from admin.customer where customer like 'many %'), 420::numeric, 'updated at once');
merge into admin.customer as c
using (values ('many 1', 5), ('many 21', 6)) as n (customer, budget) on c.customer = n.customer
when matched then update set cost_budget_daily = n.budget
when not matched then insert (customer, cost_budget_daily) values (n.customer, n.budget);
select results_eq(
    $$select c.customer, c.cost_budget_daily from admin.customer as c where c.customer in ('many 1', 'many 21') order by 1$$,
    $$values ('many 1', 5::numeric), ('many 21', 6)$$, 'merged'
);
create temporary table gone as
with d as (
    delete from admin.customer where customer like 'many %' returning customer
)

select * from d;
select is((select count(*) from gone), 21::bigint, 'deleted at once, told by RETURNING');
select is_empty($$select from admin.customer where customer like 'many %'$$, 'all of them');
select * from finish();
rollback;
