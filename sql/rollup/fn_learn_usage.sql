-- Of the last hour's calls, a sample of each model's: what one of a thousand passes, and a tenth more. Of prompts what
-- would be held too low counts at once; both figures go down by a fifth at a time, and small changes are none. A
-- model with few calls keeps what it had. What a token of an answer is in bytes is an average: it estimates answers
-- that broke off.
create or replace function ops.fn_learn_usage(p_until timestamptz default clock_timestamp()) returns integer
language plpgsql
set search_path = ''
as $$
declare
    v_learned record;
    v_changed integer := 0;
begin
    for v_learned in
        with sample as (
            select s.offer_hk, s.request_type, s.output_tokens, s.prompt_tokens / s.estimated as factor
            from (
                select
                    r.offer_hk, r.request_type, r.output_tokens, r.prompt_tokens::numeric as prompt_tokens,
                    nullif((r.decision #>> '{asked,prompt_tokens}')::numeric, 0) as estimated,
                    row_number() over (partition by r.offer_hk order by r.api_request_hk desc) as place
                from gateway.api_request_s as r
                where
                    r.api_request_hk >= util.fn_request_key_at(p_until - interval '1 hour')
                    and r.request_timestamp >= p_until - interval '1 hour'
                    and r.response_status = 'SUCCESS' and r.usage_source <> 'estimated' and r.prompt_tokens > 0
            ) as s
            where s.place <= 10000
        ),

        prompts as (
            select
                p.offer_hk,
                least(2, greatest(0.1, 1.1 * percentile_disc(0.999) within group (order by p.factor))) as factor
            from sample as p
            where p.factor is not null
            group by p.offer_hk having count(*) >= 100
        ),

        outputs as (
            select o.offer_hk, jsonb_object_agg(o.request_type, o.tokens) as usual_output
            from (
                select
                    q.offer_hk, q.request_type,
                    ceil(1.1 * percentile_disc(0.999) within group (order by q.output_tokens))::integer as tokens
                from sample as q
                where q.output_tokens > 0
                group by q.offer_hk, q.request_type having count(*) >= 100
            ) as o
            group by o.offer_hk
        ),

        spoken as (
            select
                a.offer_hk,
                least(16, greatest(1, sum(a.output_bytes) / sum(a.output_tokens - coalesce(a.reasoning_tokens, 0)))) as ratio
            from gateway.api_request_attempt_s as a
            where
                a.api_request_hk >= util.fn_request_key_at(p_until - interval '1 hour')
                and a.outcome = 'SUCCESS' and a.usage_source = 'provider_final' and a.output_bytes > 0
                and a.output_tokens > coalesce(a.reasoning_tokens, 0)
            group by a.offer_hk having count(*) >= 100
        )

        select
            p.offer_hk, coalesce(u.bytes_per_token, 4) as was_ratio,
            round(coalesce(s.ratio, u.bytes_per_token, 4), 2) as bytes_per_token,
            round(greatest(p.factor, 0.8 * coalesce(u.prompt_factor, 1)), 3) as prompt_factor,
            coalesce(u.prompt_factor, 1) as was_factor,
            coalesce(u.usual_output, '{}') as was_output,
            coalesce(u.usual_output, '{}') || coalesce((
                select jsonb_object_agg(n.key, greatest(
                    n.value::integer, ceil(0.8 * (u.usual_output ->> n.key)::numeric)::integer
                ))
                from jsonb_each_text(o.usual_output) as n
            ), '{}') as usual_output
        from prompts as p
        left join outputs as o on p.offer_hk = o.offer_hk
        left join spoken as s on p.offer_hk = s.offer_hk
        left join gateway.offer_usage_s as u on p.offer_hk = u.offer_hk and u.load_end_date is null
        order by p.offer_hk
    loop
        continue when abs(v_learned.prompt_factor - v_learned.was_factor) < 0.05 * v_learned.was_factor
            and abs(v_learned.bytes_per_token - v_learned.was_ratio) < 0.05 * v_learned.was_ratio
            and not exists (
                select from jsonb_each_text(v_learned.usual_output) as n
                where
                    v_learned.was_output ->> n.key is null
                    or abs(n.value::numeric - (v_learned.was_output ->> n.key)::numeric)
                    >= 0.05 * (v_learned.was_output ->> n.key)::numeric
            );
        v_changed := v_changed + util.fn_load_satellite(
            'gateway.offer_usage_s', jsonb_build_object('offer_hk', v_learned.offer_hk),
            jsonb_build_object(
                'prompt_factor', v_learned.prompt_factor, 'usual_output', v_learned.usual_output,
                'bytes_per_token', v_learned.bytes_per_token
            ), 'measured'
        )::integer;
    end loop;
    -- A test of the rulebook that this breaks stops it here, and not the clock at its commit.
    set constraints all immediate;
    return v_changed;
end
$$;

comment on function ops.fn_learn_usage(timestamptz) is
'Measures how many tokens prompts and answers of each model really have; returns how many models changed.';
