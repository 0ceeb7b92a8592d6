begin;
select plan(2);
create temporary table stored as
with i as (
    insert into admin.customer (customer, priority_tier) values (' Acme', 'basic') returning *
)

select * from i;
select results_eq(
    'select s.customer, s.tenant, s.priority_tier, s.is_active from stored as s',
    $$values ('Acme', 'default', 'BASIC', true)$$, 'of an insert'
);
create temporary table changed as
with u as (
    update admin.customer set webhook_url = ' ' where customer = 'Acme' returning *
)

select * from u;
select is((select webhook_url from changed), null, 'of an update');
select * from finish();
rollback;
