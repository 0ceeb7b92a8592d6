begin;
select plan(3);
select test.make_offer('maker', 'model-a');
select test.make_tenant('kolkata', '{"time_zone": "Asia/Kolkata"}');
select test.make_customer('east', '{}', 'kolkata');
select test.book_at('east', timestamptz '2026-03-31 18:10+00'), test.book_at('east', timestamptz '2026-03-31 18:50+00');
create function test.requests(p_from text, p_to text) returns text language sql as $$
    select gateway.sp_get_usage(sha256('east/token'), jsonb_build_object('from', p_from, 'to', p_to)) #>> '{body,totals,requests}';
$$;
select is(test.requests('2026-03-31', '2026-04-01'), '1', 'a day begins at the tenant''s midnight, within an hour of the clock');
select is(test.requests('2026-04-01', '2026-04-02T00:00:00'), '1', 'so does the next');
select is(test.requests('2026-03-31T18:00:00Z', '2026-03-31T19:00:00Z'), '2', 'a time with a zone means itself');
select * from finish();
rollback;
