-- Mutants: few scores that turn the ranking over, the first score instead of the last, another type's scores.
begin;
select plan(8);
select test.make_offer('maker', 'model-a', 1, 1), test.make_offer('other', 'model-b', 1, 1);
update admin.model set quality_score = 60, quality_by_type = '{"essay": 80}' where model = 'model-a';
select test.make_customer('asker');
create function pg_temp.score(p_calls integer, p_score numeric, p_type text) returns void language sql as $$
    select test.book_at('asker', clock_timestamp() - interval '1 hour' - n * interval '1 millisecond', jsonb_build_object('request_type', p_type))
    from generate_series(1, p_calls) as n;
    select gateway.sp_record_feedback(sha256('asker/token'), encode(s.api_request_hk, 'hex')::uuid::text, p_score)
    from gateway.api_request_s as s
    where s.request_type = p_type and not exists (
        select from gateway.api_request_feedback_s as f where f.api_request_hk = s.api_request_hk
    );
$$;
select pg_temp.score(4, 1, 'summary');
select is(ops.fn_learn_quality(), 0, 'four scores say little');
select pg_temp.score(16, 1, 'summary'), pg_temp.score(20, 0.5, 'essay');
select is(ops.fn_learn_quality(), 1, 'twenty do');
select is(q.quality_by_type, '{"summary": 80.0, "essay": 65.0}', 'half what was expected, half what was found, each type apart')
from gateway.offer_quality_s as q where q.load_end_date is null;
select is(q.score_count_by_type, '{"summary": 20, "essay": 20}', 'with how many said so')
from gateway.offer_quality_s as q where q.load_end_date is null;
select is(o.quality_by_type, '{"summary": 80.0, "essay": 65.0}', 'routing knows at once')
from ops.offer as o where o.offer_hk = util.hash_key('maker', 'model-a');
select is(ops.fn_learn_quality(), 0, 'the same once more is no news');
select gateway.sp_record_feedback(sha256('asker/token'), encode(s.api_request_hk, 'hex')::uuid::text, 0)
from gateway.api_request_s as s where s.request_type = 'summary';
select is(ops.fn_learn_quality(), 1, 'who thinks again counts once');
select is(q.quality_by_type -> 'summary', '30.0', 'with what was thought last')
from gateway.offer_quality_s as q where q.load_end_date is null;
select * from finish();
rollback;
