-- What scores of the last 90 days say of each model at a provider, by type of request. What the DBA expects of it, or
-- 50, counts as twenty scores, so that the first few customers do not turn the ranking over; below five nothing is
-- learned.
create or replace function ops.fn_learn_quality(p_until timestamptz default clock_timestamp()) returns integer
language plpgsql
set search_path = ''
as $$
declare
    v_learned record;
    v_changed integer := 0;
begin
    for v_learned in
        with scores as (
            select distinct on (f.api_request_hk, f.customer_hk) f.offer_hk, f.request_type, f.score
            from gateway.api_request_feedback_s as f
            where
                f.api_request_hk >= util.fn_request_key_at(p_until - interval '90 days')
                and f.load_date <= p_until
            order by f.api_request_hk, f.customer_hk, f.load_date desc
        ),

        by_type as (
            select s.offer_hk, s.request_type, count(*) as scores, sum(s.score) as sum_of_scores
            from scores as s
            group by s.offer_hk, s.request_type having count(*) >= 5
        )

        select
            t.offer_hk, jsonb_object_agg(t.request_type, t.scores) as counts,
            jsonb_object_agg(t.request_type, round((
                20 * coalesce((o.quality_by_type ->> t.request_type)::numeric, o.quality_score, p.quality_score, 50)
                + 100 * t.sum_of_scores
            ) / (20 + t.scores), 1)) as qualities
        from by_type as t
        inner join gateway.offer_l as l on t.offer_hk = l.offer_hk
        inner join gateway.offer_s as o on t.offer_hk = o.offer_hk and o.load_end_date is null
        inner join gateway.ai_provider_s as p on l.provider_hk = p.provider_hk and p.load_end_date is null
        group by t.offer_hk
        order by t.offer_hk
    loop
        -- Counts alone make no new version of an offer.
        continue when exists (
            select from gateway.offer_quality_s as q
            where
                q.offer_hk = v_learned.offer_hk and q.load_end_date is null
                and q.quality_by_type = v_learned.qualities
        );
        v_changed := v_changed + util.fn_load_satellite(
            'gateway.offer_quality_s', jsonb_build_object('offer_hk', v_learned.offer_hk),
            jsonb_build_object('quality_by_type', v_learned.qualities, 'score_count_by_type', v_learned.counts), 'feedback'
        )::integer;
    end loop;
    -- A test of the rulebook that this breaks stops it here, and not the clock at its commit.
    set constraints all immediate;
    return v_changed;
end
$$;

comment on function ops.fn_learn_quality(timestamptz) is
'Learns from customers'' scores how good each model is at each type of request; returns how many models changed.';
