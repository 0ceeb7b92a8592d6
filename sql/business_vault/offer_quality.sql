-- Of several scores of a request the last one counts. Tenant and customer come first, so that who asks for one reads
-- his scores only.
drop view if exists business_vault.offer_quality;
create view business_vault.offer_quality as
with scores as (
    select distinct on (n.tenant_bk, c.customer_bk, f.api_request_hk, f.customer_hk)
        n.tenant_bk, c.customer_bk, f.offer_hk, f.request_type, f.score, f.load_date
    from gateway.api_request_feedback_s as f
    inner join gateway.customer_h as c on f.customer_hk = c.customer_hk
    inner join auth.tenant_h as n on c.tenant_hk = n.tenant_hk
    order by n.tenant_bk, c.customer_bk, f.api_request_hk, f.customer_hk, f.load_date desc
)

select
    p.provider_bk::text as provider,
    m.model_bk::text as model,
    s.request_type::text as request_type,
    s.tenant_bk::text as tenant,
    s.customer_bk::text as customer,
    count(*) as scored_requests,
    round(avg(s.score), 3) as average_score,
    max(s.load_date) as last_scored_at,
    (q.quality_by_type ->> s.request_type::text)::numeric as ranking_quality
from scores as s
inner join gateway.offer_l as l on s.offer_hk = l.offer_hk
inner join gateway.ai_provider_h as p on l.provider_hk = p.provider_hk
inner join gateway.model_h as m on l.model_hk = m.model_hk
left join gateway.offer_quality_s as q on s.offer_hk = q.offer_hk and q.load_end_date is null
group by p.provider_bk, m.model_bk, s.request_type, s.tenant_bk, s.customer_bk, q.quality_by_type;

comment on view business_vault.offer_quality is
'How customers scored the answers of each model at each provider, by type of request, and what the ranking makes of
it.';
comment on column business_vault.offer_quality.provider is 'Who ran the model.';
comment on column business_vault.offer_quality.model is 'The model.';
comment on column business_vault.offer_quality.request_type is 'What kind of call it was.';
comment on column business_vault.offer_quality.tenant is 'Organisation of who scored.';
comment on column business_vault.offer_quality.customer is 'Who scored.';
comment on column business_vault.offer_quality.scored_requests is 'Requests with a score.';
comment on column business_vault.offer_quality.average_score is '0 is useless, 1 as good as can be.';
comment on column business_vault.offer_quality.last_scored_at is 'When a score came last.';
comment on column business_vault.offer_quality.ranking_quality is
'0 to 100: the quality that routing goes by for this type of request, from the scores of all customers; NULL until there
are enough of them.';
