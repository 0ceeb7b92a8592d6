-- Mutants: a refused key that stays in use, a finding about a key that was set anew meanwhile, one that is asked by two,
-- a provider that was away and is never asked again, an operator's word that is overruled.
begin;
select plan(26);
select test.make_provider('maker', '{"needs_key": true, "adapter_settings": {"path": "/x"}}');
select test.make_offer('maker', 'model-a', 1, 1);
select test.make_customer('caller');
select admin.sp_set_provider_key('maker', 'caller', null, sha256('own'), '\x01', 'k1', false);
create function pg_temp.key() returns text language sql as $$
    select encode(admin.sp_identify_provider_key('maker', 'caller', null), 'hex');
$$;
create function pg_temp.record(p_finding text, p_fingerprint bytea default sha256('own')) returns void language sql as $$
    select gateway.sp_record_key_validation(pg_temp.key(), encode(p_fingerprint, 'hex'), p_finding);
$$;
create function pg_temp.finding() returns text language sql as $$
    select v.finding from admin.sp_read_key_validation('maker', 'caller', 'own') as v;
$$;
select is(pg_temp.finding(), 'waiting', 'a key that was set is to be asked about');
select results_eq(
    'select k.key, k.fingerprint, k.kind, k.endpoint, k.settings from gateway.sp_take_key_validations() as k',
    format('values (%L, %L, ''openai'', ''http://127.0.0.1:9/v1'', ''{"path": "/x"}'')', pg_temp.key(), encode(sha256('own'), 'hex')),
    'a worker is told how'
);
select is_empty('select * from gateway.sp_take_key_validations()', 'one worker alone');
update ops.key_validation set due_at = due_at - interval '31 seconds' where true;
select isnt_empty('select * from gateway.sp_take_key_validations()', 'another, should the first be lost');
select pg_temp.record('accepted', sha256('older'));
select is(pg_temp.finding(), 'waiting', 'what was found about another key says nothing');
select pg_temp.record('unreachable');
select is(k.key_status, 'ACTIVE', 'who is away refuses nothing') from admin.provider_key as k;
select is(
    round(extract(epoch from v.due_at - v.found_at)), 120::numeric, 'and is asked again, later each time'
)
from ops.key_validation as v;
insert into ops.key_health (provider_key_hk, refusals, last_error_class, last_refused_at, rests_until)
values (decode(pg_temp.key(), 'hex'), 1, 'auth_dead', now(), now() + interval '1 hour');
select pg_temp.record('accepted');
select is((select count(*) from ops.key_health), 1::bigint, 'a list of models wakes no key that was refused for a call');
select ok(k.last_validated > now() and k.key_status = 'ACTIVE', 'a key that is taken says since when') from admin.provider_key as k;
select is(h.record_source || ': ' || h.change_reason, 'validation: accepted by the provider when it was asked', 'with who found it')
from admin.provider_key_history as h where h.load_end_date is null;
select is(v.due_at, null, 'nothing is left to ask') from ops.key_validation as v;
select is(admin.sp_set_provider_key('maker', 'caller', null, sha256('own'), '\x01', 'k1', false), false);
select is((select count(*) from ops.key_health), 0::bigint, 'its owner does');
select ok(k.last_validated is not null, 'the same key set again was taken before') from admin.provider_key as k;
select is(pg_temp.finding(), 'waiting', 'and is asked about again');
select pg_temp.record('refused');
select is(k.key_status, 'EXPIRED', 'a refused key has expired') from admin.provider_key as k;
select is((test.route(sha256('caller/token'))).status, 'no_provider', 'and is not used');
update admin.provider_key set key_status = 'ACTIVE' where customer = 'caller';
select is((test.route(sha256('caller/token'))).status, 'routed', 'who knows better says so');
select is(pg_temp.finding(), 'refused', 'and nobody asks again');
select admin.sp_set_provider_key('maker', 'caller', null, sha256('next'), '\x01', 'k1', false);
select is(k.last_validated, null, 'another key was never taken') from admin.provider_key as k;
select pg_temp.record('unsupported', sha256('next'));
select is(
    (v.due_at is null, k.key_status)::text, '(t,ACTIVE)', 'where there is nothing to ask, the key is used'
)
from ops.key_validation as v cross join admin.provider_key as k;
select admin.sp_set_provider_key('maker', 'caller', null, sha256('last'), '\x01', 'k1', false);
delete from admin.provider_key as k where k.customer = 'caller';
select is_empty('select * from gateway.sp_take_key_validations()', 'a revoked key is not asked about');

select admin.sp_set_provider_key('maker', null, 'default', sha256('house'), '\x01', 'k1', true);
select is(count(*)::integer, 1, 'the house''s keys are asked about as well') from gateway.sp_take_key_validations();
select gateway.sp_record_key_validation(
    encode(admin.sp_identify_provider_key('maker', null, 'default'), 'hex'), encode(sha256('house'), 'hex'), 'accepted'
);
select ok(k.last_validated is not null, 'and say since when they are taken') from admin.provider_key as k where k.customer is null;
select admin.sp_set_provider_key('maker', null, 'default', sha256('house'), '\x01', 'k1', true);
select is_empty('select * from gateway.sp_take_key_validations()', 'a start of the gateway asks about nothing it knew');
select is(v.is_worker_at_work, false, 'who waits is told that nobody asks')
from admin.sp_read_key_validation('maker', null, 'default') as v;
select * from finish();
rollback;
