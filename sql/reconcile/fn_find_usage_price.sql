-- What a unit is worth that a provider counts and our books do not have: the dearest that the price book says.
create or replace function ops.fn_find_usage_price(
    p_provider_hk bytea, p_model_match text, p_day date, p_bucket text
) returns numeric
language sql stable security definer
set search_path = ''
begin atomic
    select gateway.fn_find_price(
        jsonb_object_agg(b.meter, b.usd), case p_bucket when 'input_uncached' then 'input' else p_bucket end
    ) / 1000000
    from (
        select s.meter, max(s.usd_per_million) as usd
        from gateway.offer_l as l
        inner join gateway.offer_s as o on l.offer_hk = o.offer_hk and o.load_end_date is null
        inner join gateway.offer_price_s as s on l.offer_hk = s.offer_hk and s.load_end_date is null
        where
            l.provider_hk = p_provider_hk and ops.fn_name_usage_model(o.upstream_model) = p_model_match
            and s.mode = 'sync' and s.service_tier = 'standard' and s.threshold_tokens = 0
            and s.valid_from <= p_day and s.valid_to > p_day
        group by s.meter
    ) as b;
end;

comment on function ops.fn_find_usage_price(bytea, text, date, text) is
'USD that a provider asks for a unit of a bucket of one of its models on a day; NULL where no price is known.';
