-- An import says all of the days that it names, provider by provider and kind by kind: rows are loaded by hash diff,
-- and what a day had and no longer has ends. So a day never counts twice, however differently it was grouped before.
create or replace function gateway.sp_import_provider_usage(p_source text, p_rows jsonb)
returns table (rows_read bigint, days bigint, added bigint, corrected bigint, ended bigint, unchanged bigint)
language plpgsql
security definer
set search_path = ''
as $$
declare
    v_source text := left(btrim(p_source), 100);
    v_stranger text;
    v_rows jsonb;
    v_facts jsonb;
    v_number bigint;
    v_known bigint;
    v_changed bigint;
begin
    if coalesce(v_source, '') = '' or jsonb_typeof(p_rows) is distinct from 'array' or p_rows = '[]' then
        perform admin.fn_refuse_change(
            400, 'import_has_rows', 'An import needs a source and rows', 'Use: onevault reconcile import FILE'
        );
    end if;
    select coalesce(r.provider, '') into v_stranger
    from jsonb_to_recordset(p_rows) as r (provider text)
    left join gateway.ai_provider_h as h on util.hash_key(coalesce(r.provider, '')) = h.provider_hk
    where h.provider_hk is null
    limit 1;
    if found then
        perform admin.fn_refuse_change(
            404, 'provider_exists', format('There is no provider %s', quote_literal(v_stranger)),
            'Name one of admin.provider: onevault reconcile import FILE --provider NAME'
        );
    end if;
    lock table gateway.provider_usage_s in share row exclusive mode;
    v_rows := gateway.fn_sum_provider_usage(p_rows);

    insert into gateway.provider_usage_h (
        provider_usage_hk, provider_usage_bk, provider_hk, usage_day, usage_kind, model_name, provider_key_id,
        service_tier, record_source
    )
    select
        r.provider_usage_hk, concat_ws(
            '|', r.provider_bk, r.usage_day, r.model_name, r.provider_key_id, r.service_tier, r.usage_kind
        ), r.provider_hk, r.usage_day, r.usage_kind, r.model_name, r.provider_key_id, r.service_tier, v_source
    from jsonb_to_recordset(v_rows) as r (
        provider_usage_hk bytea, provider_bk text, provider_hk bytea, usage_day date, usage_kind text, model_name text,
        provider_key_id text, service_tier text
    )
    on conflict do nothing;

    with told as materialized (
        select r.provider_usage_hk, r.provider_hk, r.usage_day, r.usage_kind
        from jsonb_to_recordset(v_rows) as r (
            provider_usage_hk bytea, provider_hk bytea, usage_day date, usage_kind text
        )
    )

    update gateway.provider_usage_s as s set
        load_end_date = greatest(util.current_load_date(), s.load_date + interval '1 microsecond'),
        ended_by = session_user, end_reason = v_source || ' says the day, and no longer this'
    from gateway.provider_usage_h as h
    inner join (select distinct t.provider_hk, t.usage_day, t.usage_kind from told as t) as d
        on h.provider_hk = d.provider_hk and h.usage_day = d.usage_day and h.usage_kind = d.usage_kind
    left join told as n on h.provider_usage_hk = n.provider_usage_hk
    where s.provider_usage_hk = h.provider_usage_hk and s.load_end_date is null and n.provider_usage_hk is null;
    get diagnostics ended = row_count;

    select
        count(*), count(s.provider_usage_hk), count(distinct (r.provider_hk, r.usage_day)), jsonb_agg(
            r.fact - '{provider_bk,provider_hk,usage_day,usage_kind,model_name,provider_key_id,service_tier}'::text[]
        )
    into v_number, v_known, days, v_facts
    from (
        select
            e.fact, (e.fact ->> 'provider_usage_hk')::bytea as provider_usage_hk, e.fact ->> 'provider_hk' as provider_hk,
            e.fact ->> 'usage_day' as usage_day
        from jsonb_array_elements(v_rows) as e (fact)
    ) as r
    left join gateway.provider_usage_s as s
        on r.provider_usage_hk = s.provider_usage_hk and s.load_end_date is null;
    v_changed := util.fn_load_satellites('gateway.provider_usage_s', '{provider_usage_hk}', v_facts, v_source);

    rows_read := jsonb_array_length(p_rows);
    added := v_number - v_known;
    corrected := v_changed - added;
    unchanged := v_number - v_changed;
    return next;
end
$$;

comment on function gateway.sp_import_provider_usage(text, jsonb) is
'Loads what a provider says was used and asked; p_rows is an array of objects named as the columns of provider_usage_h
and provider_usage_s, with provider. Tells what that changed.';
