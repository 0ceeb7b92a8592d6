-- Whether a long rulebook makes a decision dearer: 20 and 200 active rules, 60 offers on 12 providers. Run it with
--     ONEVAULT_HOME=/tmp/bench onevault psql -- -f bench/decide.sql
-- on a database that is thrown away afterwards, with pgbench in the PATH, on a quiet machine. First whole calls (token,
-- rule, offers, holds, message), 50 in a batch, in one transaction that is rolled back, so that nothing waits for a disk:
-- ms a call, best of five rounds. Then decisions alone, bench/decide.pgbench, on rows that are as they are in use; one
-- client, so what it takes is what it costs: the median of 400 batches, and the tenth percentile, which a machine that
-- others use as well disturbs less.
\set QUIET on
\pset format unaligned
\pset tuples_only on
set search_path = '';
create procedure pg_temp.have_fixture() language plpgsql as $$
begin
    update admin.routing_rule set is_active = false where true;
    insert into admin.provider (provider, adapter_kind, api_endpoint, needs_key)
    select 'bench-' || n, 'openai', 'http://127.0.0.1:9/v1', false from generate_series(1, 12) as n;
    update admin.model set is_active = false where provider not like 'bench-%' and is_active;
    insert into admin.model (provider, model, quality_score)
    select 'bench-' || p, 'bench-model-' || m, 10 * m from generate_series(1, 12) as p, generate_series(1, 5) as m;
    insert into admin.price (provider, model, meter, usd_per_million)
    select 'bench-' || p, 'bench-model-' || m, meter, (p * m)::numeric / 10
    from generate_series(1, 12) as p, generate_series(1, 5) as m, unnest('{input,output}'::text[]) as meter;
    insert into admin.customer (customer, tenant, priority_tier)
    select 'bench-customer-' || n, 'default', 'STANDARD' from generate_series(1, 50) as n;
    perform count(t.token_id) from generate_series(1, 50) as n
    cross join lateral admin.sp_issue_token('bench-customer-' || n, sha256(convert_to('bench ' || n, 'UTF8')), 'x', '\x00') as t;
    update ops.admission set longest_wait = interval '1000000 hours' where true;
end
$$;

-- As rulebooks are: most rules are about a tenant's customers or kinds of work, some about sizes, the last is for all.
create procedure pg_temp.have_rules(p_count integer) language plpgsql as $$
begin
    insert into admin.routing_rule (rule_name, rule_priority, conditions, target_model)
    select
        'bench-rule-' || n, n,
        case n % 5
            when 0 then jsonb_build_object('customer', 'bench-customer-' || n % 40, 'request_type', 'work-' || n)
            when 1 then jsonb_build_object('request_type', jsonb_build_array('work-' || n, 'play-' || n))
            when 2 then jsonb_build_object('tenant', 'tenant-' || n, 'stream', true)
            when 3 then jsonb_build_object('model', 'special-' || n, 'prompt_tokens', '{"gte": 1000}'::jsonb)
            else jsonb_build_object('metadata.team', 'team-' || n, 'tier', 'PREMIUM')
        end,
        'bench-model-' || 1 + n % 5
    from generate_series(1, p_count - 1) as n
    where not exists (select from admin.routing_rule as r where r.rule_name = 'bench-rule-' || n);
    insert into admin.routing_rule (rule_name, rule_priority, quality_optimization)
    select 'bench-rule-last', 1000, true
    where not exists (select from admin.routing_rule as r where r.rule_name = 'bench-rule-last');
end
$$;

create function pg_temp.measure() returns numeric language plpgsql as $$
declare
    v_batch jsonb := (
        select jsonb_agg(jsonb_build_object(
            'digest', encode(sha256(convert_to('bench ' || n, 'UTF8')), 'hex'), 'surface', 'chat', 'capability', 'chat',
            'request_type', 'completion', 'stream', false, 'tools', false, 'vision', false, 'structured', false,
            'prompt_bytes', 4000, 'images', 0, 'messages', 2, 'choices', 1, 'max_output_tokens', 200,
            'ticket', 'x', 'metadata', '{"team": "blue"}'::jsonb
        )) from generate_series(1, 50) as n
    );
    v_begun timestamptz := clock_timestamp();
    v_routed integer := 0;
begin
    for i in 1 .. 20 loop
        v_routed := v_routed + (
            select count(*) filter (where r.status = 'routed') from gateway.sp_route_requests(v_batch, 'unix:none', false) as r
        );
    end loop;
    assert v_routed = 1000, format('%s of 1000 were routed', v_routed);
    return round(extract(epoch from clock_timestamp() - v_begun)::numeric, 4);
end
$$;

begin;
call pg_temp.have_fixture();
create temporary table measured (rules integer, ms numeric);
call pg_temp.have_rules(20);
insert into measured select 20, pg_temp.measure() from generate_series(1, 5);
call pg_temp.have_rules(200);
insert into measured select 200, pg_temp.measure() from generate_series(1, 5);
select format('%s rules: %s ms a call', m.rules, min(m.ms)) from measured as m group by m.rules order by m.rules;
rollback;

begin;
call pg_temp.have_fixture();
call pg_temp.have_rules(20);
commit;
vacuum analyze;
\! sh bench/decide.sh '20 rules'
call pg_temp.have_rules(200);
vacuum analyze;
\! sh bench/decide.sh '200 rules'
