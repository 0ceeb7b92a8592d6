-- What providers said, by the same buckets. Their keys are ours where a DBA has said which is which, by any version of
-- a key: it may have been replaced since.
create view ops.imported_usage as
select
    h.provider_hk, h.usage_day, h.usage_kind = 'COST' as is_cost, h.model_name::text as model_name,
    h.provider_key_id::text as provider_key_id, k.provider_key_hk, b.bucket, b.amount
from gateway.provider_usage_h as h
inner join gateway.provider_usage_s as s on h.provider_usage_hk = s.provider_usage_hk and s.load_end_date is null
left join lateral (
    select y.provider_key_hk
    from gateway.ai_provider_key_h as y
    inner join gateway.ai_provider_key_s as v on y.provider_key_hk = v.provider_key_hk
    where y.provider_hk = h.provider_hk and v.provider_key_id = h.provider_key_id
    order by v.load_date desc
    limit 1
) as k on h.provider_key_id <> ''
cross join lateral (
    select v.bucket, v.amount
    from (
        values
        ('requests', s.requests::numeric), ('input_uncached', s.input_uncached_tokens),
        ('cache_read', s.cache_read_tokens), ('cache_write', s.cache_write_tokens),
        ('cache_write_1h', s.cache_write_1h_tokens), ('output', s.output_tokens)
    ) as v (bucket, amount)
    where h.usage_kind <> 'COST'
    union all
    select o.key, o.value::numeric from jsonb_each_text(s.other_usage) as o where h.usage_kind <> 'COST'
    union all
    select 'cost', s.cost_usd where h.usage_kind = 'COST'
) as b;

comment on view ops.imported_usage is
'What providers said that was used and asked, as it was imported last, by bucket; with our key, where it is known.';
