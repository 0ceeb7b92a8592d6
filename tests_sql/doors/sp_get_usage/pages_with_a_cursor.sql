begin;
select plan(6);
select test.make_offer('maker', 'model-a');
select test.make_customer('user');
select test.book_at('user', timestamptz '2026-03-01 10:10+00' + d * interval '1 day') from generate_series(0, 4) as d;
create function test.page(p_after text) returns jsonb language sql as $$
    select gateway.sp_get_usage(sha256('user/token'), jsonb_build_object(
        'from', '2026-03-01', 'to', '2026-04-01', 'limit', 2, 'after', p_after
    )) -> 'body';
$$;
create temporary table pages as
with recursive p (number, body) as (
    select 1, test.page(null)
    union all
    select p.number + 1, test.page(p.body ->> 'next_after') from p where (p.body -> 'has_more')::boolean
)

select p.* from p;
select is((select max(p.number) from pages as p), 3, 'five days, three pages');
select is(
    (select jsonb_agg(d.day -> 'day' order by p.number, d.place) from pages as p
        cross join lateral jsonb_array_elements(p.body -> 'data') with ordinality as d (day, place)),
    '["2026-03-01", "2026-03-02", "2026-03-03", "2026-03-04", "2026-03-05"]', 'each day once, in order'
);
select is((select count(distinct p.body -> 'totals') from pages as p), 1::bigint, 'totals are of the whole, on every page');
select is((select p.body -> 'next_after' from pages as p where p.number = 3), 'null', 'the last has no next');
select is((select p.body #> '{totals,requests}' from pages as p where p.number = 1), '5', 'five requests');
select is(
    gateway.sp_get_usage(sha256('user/token'), '{"after": "nonsense"}') - 'message' - 'detail',
    '{"status": "invalid_request", "http_status": 400, "param": "after"}', 'a cursor that is none is refused'
);
select * from finish();
rollback;
