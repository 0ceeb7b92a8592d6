create or replace function admin.fn_sync_providers(p_providers jsonb) returns bigint
language plpgsql
set search_path = ''
as $$
begin
    perform util.fn_load_hub('gateway.ai_provider_h', util.hash_key(p.provider), p.provider, 'price book')
    from jsonb_to_recordset(p_providers) as p (provider text)
    where not exists (select from gateway.ai_provider_h as h where h.provider_hk = util.hash_key(p.provider));

    return util.fn_load_satellites('gateway.ai_provider_s', '{provider_hk}', (
        select coalesce(jsonb_agg(p.document - 'provider' || jsonb_build_object('provider_hk', p.provider_hk)), '[]')
        from (
            select r.document, util.hash_key(r.document ->> 'provider') as provider_hk
            from jsonb_array_elements(p_providers) as r (document)
        ) as p
        where coalesce((
            select s.load_end_date is null and s.record_source = 'price book'
            from gateway.ai_provider_s as s
            where s.provider_hk = p.provider_hk
            order by s.load_date desc
            limit 1
        ), true)
    ), 'price book');
end
$$;

comment on function admin.fn_sync_providers(jsonb) is 'Loads the price book''s providers; returns how many changed.';
