-- Mutants: a score of somebody else's request, a second row for the same score, a score that is no share of one.
begin;
select plan(12);
select test.make_offer('maker', 'model-a', 1, 1);
select test.make_customer('asker'), test.make_customer('neighbour');
select test.book_at('asker', clock_timestamp() - interval '1 hour');
create function pg_temp.score(p_score numeric, p_customer text default 'asker', p_request text default null) returns jsonb language sql as $$
    select gateway.sp_record_feedback(sha256(convert_to(p_customer || '/token', 'UTF8')), coalesce(p_request, (
        select encode(s.api_request_hk, 'hex')::uuid::text from gateway.api_request_s as s
    )), p_score);
$$;
select is((pg_temp.score(0.8) -> 'body') - 'request_id', '{"score": 0.8, "model": "model-a"}', 'a score is booked');
select is(pg_temp.score(0.80) ->> 'status', 'ok', 'the same again is no error');
select is(count(*), 1::bigint, 'and no second row') from gateway.api_request_feedback_s as f;
select is(pg_temp.score(0.25) ->> 'status', 'ok', 'who thinks again says so');
select is(array_agg(f.score order by f.load_date), '{0.800,0.250}', 'and both are known, the later one last')
from gateway.api_request_feedback_s as f;
select is((b.average_score, b.scored_requests, b.ranking_quality), (0.250, 1::bigint, null::numeric), 'of which the last one counts')
from business_vault.offer_quality as b;
select is((r - 'message' - 'detail'), '{"status": "request_not_found", "http_status": 404, "param": "request_id"}', 'nobody scores for another')
from pg_temp.score(1, 'neighbour') as r;
select is(pg_temp.score(1, 'nobody') ->> 'status', 'invalid_token', 'who is not known scores nothing');
select is(pg_temp.score(s.score) ->> 'param', 'score', 'refused: ' || s.score) from (values (1.1), (-0.1)) as s (score);
select is(pg_temp.score(1, p_request => 'it was good') ->> 'param', 'request_id', 'words are no id');
select is(count(*), 2::bigint, 'refusals write nothing') from gateway.api_request_feedback_s as f;
select * from finish();
rollback;
