-- Mutants: a duplicate that is parked, a refusal that is tried again, a failure that is parked, tries that end with what
-- was given back untried, one after a day, a fence that lets the slow one book, a parked event that is sent twice or never again,
-- one that is parked for a key that was replaced meanwhile.
begin;
select plan(36);
select test.make_offer('maker', 'model-a', 1, 2), test.make_customer('payer'), test.make_export('ex', 'LAGO');
insert into admin.usage_export_customer (export, customer, external_id) values ('ex', 'payer', 'sub_1');

-- One event, read and told of so many times.
create function pg_temp.try(p_times integer, p_status integer, p_class text default null, p_retry_after_ms bigint default null)
returns text language plpgsql as $$
begin
    for i in 1..p_times loop
        update pgmq.q_usage_event set vt = clock_timestamp() where true;
        perform test.tell(e.msg_id, e.read_ct, p_status, p_class, p_retry_after_ms) from test.read_events() as e;
    end loop;
    return (select d.delivery_state || ' ' || coalesce(d.last_error_class, '-') || ' ' || d.attempts from admin.usage_export_delivery as d
        order by d.created_at desc limit 1);
end
$$;
create function pg_temp.charge() returns void language sql as $$
    delete from pgmq.q_usage_event where true;
    delete from gateway.usage_event_delivery_s where true;
    delete from gateway.usage_event_l where true;
    select test.settle(test.route(sha256('payer/token')));
$$;
create function pg_temp.delay() returns numeric language sql as $$
    select extract(epoch from q.vt - clock_timestamp()) from pgmq.q_usage_event as q;
$$;

select pg_temp.charge();
select is((select d.delivery_state from admin.usage_export_delivery as d), 'WAITING', 'it waits');
select is(pg_temp.try(1, 200), 'DELIVERED - 1', 'what is taken is delivered');
select is((select count(*)::integer from pgmq.q_usage_event), 0, 'and over');
select pg_temp.charge();
select is(pg_temp.try(1, 422, 'duplicate'), 'DELIVERED duplicate 1', 'so is what was there already');
select pg_temp.charge();
select is(pg_temp.try(1, 422), 'FAILED refused 1', 'what is refused is parked at once');
select is((select d.remedy ~ 'resend_usage_events' from admin.usage_export_delivery as d), true, 'and says what to do');
select pg_temp.charge();
select is(pg_temp.try(1, 503), 'WAITING server_error 1', 'what failed is tried again');
select ok(pg_temp.delay() between 3.5 and 6, 'in about five seconds');
select is(pg_temp.try(1, null, 'connect'), 'WAITING connect 2', 'as is what nobody answered');
select ok(pg_temp.delay() between 11.5 and 18, 'three times later');
select is(pg_temp.try(1, 429, null, 600000), 'WAITING throttled 3', 'or was too much');
select ok(pg_temp.delay() between 599 and 601, 'no sooner than the target asks');
select is(pg_temp.try(20, null, 'held_back'), 'WAITING throttled 3', 'what was given back was not tried');
select ok(pg_temp.delay() < 1, 'and is due at once');
select is(pg_temp.try(1, null, 'target_down'), 'WAITING throttled 3', 'nor what its target was too down for');
select ok(pg_temp.delay() between 3.5 and 6, 'which waits');
select is(pg_temp.try(8, 409), 'WAITING busy 11', 'eleven times');
select is(pg_temp.try(1, 500), 'FAILED server_error 12', 'and after the twelfth it is parked');
select is((select c.is_ok::text || c.finding from admin.fn_check_usage_exports() as c),
    'false1 active; 0 events wait, the oldest for 0 minutes; 1 are parked; 0 exports have no key', 'for somebody to look at');

select is(admin.resend_usage_events('ex', p_error_class => 'refused'), 0, 'of another class there is none');
select is(admin.resend_usage_events('ex', 'nonsense'), 0, 'nor of another name');
select is(admin.resend_usage_events('EX', (select d.event_id from admin.usage_export_delivery as d)), 1, 'it is sent again');
select is(admin.resend_usage_events('ex'), 0, 'once');
select is((select d.delivery_state || d.last_error_class from admin.usage_export_delivery as d), 'WAITINGresent', 'it waits again');
select is(pg_temp.try(11, 500), 'WAITING server_error 24', 'with as many tries as at first');
select is(pg_temp.try(1, 500), 'FAILED server_error 25');

select pg_temp.charge();
select is(pg_temp.try(9, 500), 'WAITING server_error 9');
update pgmq.q_usage_event set message = message || jsonb_build_object('begun', (message ->> 'begun')::bigint - 18 * 3600 - 2000) where true;
select is(pg_temp.try(1, 500), 'FAILED server_error 10', 'nothing is tried for longer than a target knows it again');

select pg_temp.charge();
select is(pg_temp.try(1, 401), 'FAILED unauthorized 1', 'a key that is not taken parks too');
select admin.sp_set_usage_export_key('ex', '\x02', '\x02', 'k1');
select is((select e.read_ct from test.read_events() as e), 1, 'with another key it goes out again');
select pg_temp.charge();
create temporary table held as select e.msg_id, e.read_ct from test.read_events() as e;
select admin.sp_set_usage_export_key('ex', '\x03', '\x03', 'k1');
select test.tell(h.msg_id, h.read_ct, 401) from held as h;
select is((select d.delivery_state || ' ' || d.last_error_class from admin.usage_export_delivery as d), 'WAITING unauthorized',
    'what was under way with the key before goes out with the new one');
select is(pg_temp.try(1, 401), 'FAILED unauthorized 2', 'and is parked when that is not taken either');
select pg_temp.charge();
select is(pg_temp.try(12, null, 'key_does_not_open'), 'FAILED key_does_not_open 12', 'nor is what no key was there for tried for ever');
select admin.sp_set_usage_export_key('ex', '\x04', '\x04', 'k1');
select is((select count(*)::integer from test.read_events()), 1, 'it goes out with the next key, too');
select is((select count(*)::integer from (select test.tell(q.msg_id, q.read_ct - 1, 200) as n from pgmq.q_usage_event as q) as t where t.n = 0), 1,
    'whoever had it before books nothing');
select is_empty(
    $$select c from unnest('{duplicate,refused,unauthorized,gone,no_export,key_does_not_open,busy,redirected,throttled,timeout,server_error,cut,
        connect,certificate,unknown_host,bad_url,forbidden_address,resent,lost,overdue}'::text[]) as c
        where (admin.fn_explain_usage_export(c)).remedy is null$$, 'each class says what to do'
);
select * from finish();
rollback;
