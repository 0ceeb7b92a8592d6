-- Mutants: a refusal that counts against the offer, calls under way together that count as many, a key that rests for
-- ever, one that is set anew and still rests.
begin;
select plan(15);
select test.make_offer('maker', 'model-a', 1, 1);
select test.make_offer('rival', 'model-a', 2, 2);
select test.make_customer('caller');
select admin.sp_set_provider_key('maker', null, k.name, sha256(convert_to(k.name, 'UTF8')), '\x01', 'k1', false)
from (values ('first'), ('second')) as k (name);
create function pg_temp.key(p_name text) returns bytea language sql as $$
    select admin.sp_identify_provider_key('maker', null, p_name);
$$;
create function pg_temp.tell(p_key text, p_class text, p_status integer default 401, p_times integer default 1) returns void
language sql as $$
    select gateway.fn_move_health((select jsonb_agg(jsonb_build_object('attempts', jsonb_build_array(jsonb_build_object(
        'offer', encode(util.hash_key('maker', 'model-a'), 'hex'), 'key', encode(pg_temp.key(p_key), 'hex'),
        'outcome', case when p_class is null then 'SUCCESS' else 'ERROR' end, 'class', p_class, 'http_status', p_status
    )))) from generate_series(1, p_times)));
$$;
create function pg_temp.status(p_key text) returns text language sql as $$
    select r.key_status from gateway.sp_read_provider_key(pg_temp.key(p_key)) as r;
$$;

select is(
    o.candidate -> 'spare_keys', jsonb_build_array(encode(pg_temp.key('first'), 'hex')), 'the newest first, the older in reserve'
)
from ops.offer as o where o.provider_bk = 'maker';
select is((test.route(sha256('caller/token'))).provider, 'maker');
select pg_temp.tell('second', 'auth_dead', 401, 5);
select is(pg_temp.status('second'), 'RESTING', 'refused, it rests');
select is(pg_temp.status('first'), 'ACTIVE', 'the other does not');
select is(k.refusals, 1, 'calls that were under way together are one refusal') from ops.key_breaker as k;
select is((select count(*)::integer from ops.offer_health), 0, 'the offer is well');
select is((test.route(sha256('caller/token'))).provider, 'maker', 'and is asked, with the other key');
select pg_temp.tell('first', 'money_dead', 402);
select is((test.route(sha256('caller/token'))).provider, 'rival', 'without any key others are asked first');
select pg_temp.tell('first', 'auth_dead', null);
select is(k.last_error_class, 'money_dead', 'what was not asked was not refused') from ops.key_breaker as k where k.key_name = 'first';
update ops.key_health set rests_until = rests_until - interval '2 minutes' where true;
select is(pg_temp.status('second'), 'ACTIVE', 'a minute later it is tried again');
select pg_temp.tell('second', 'auth_dead');
select is(
    round(extract(epoch from k.rests_until - k.last_refused_at)), 120::numeric, 'and rests longer'
)
from ops.key_breaker as k where k.key_name = 'second';
select pg_temp.tell('first', null, 200);
select is((select count(*)::integer from ops.key_breaker), 1, 'taken, it is well');
select is((test.route(sha256('caller/token'))).provider, 'maker', 'and its provider is back');
select admin.sp_set_provider_key('maker', null, 'second', sha256('another'), '\x02', 'k1', false);
select is(pg_temp.status('second'), 'ACTIVE', 'set anew, it is another key');
update admin.provider_key set key_status = 'REVOKED' where provider = 'maker' and key_name = 'second';
select is(o.candidate ->> 'key', encode(pg_temp.key('first'), 'hex'), 'a revoked one is none')
from ops.offer as o where o.provider_bk = 'maker';
select * from finish();
rollback;
