drop view if exists ops.circuit_breaker;
create view ops.circuit_breaker as
select
    p.provider_bk::text as provider,
    m.model_bk::text as model,
    case
        when h.rests_until > now() then 'open'
        when h.consecutive_failures >= 3 then 'half open'
        else 'closed'
    end as state,
    h.consecutive_failures,
    h.last_error_class,
    h.last_failed_at,
    h.rests_until
from ops.offer_health as h
inner join gateway.offer_l as l on h.offer_hk = l.offer_hk
inner join gateway.ai_provider_h as p on l.provider_hk = p.provider_hk
inner join gateway.model_h as m on l.model_hk = m.model_hk;

comment on view ops.circuit_breaker is
'Offers that have failed: open, tried last until it has rested; half open, the next call tries it and the others wait
for what comes of it; closed again. What is not here never failed.';
comment on column ops.circuit_breaker.provider is 'Provider of the offer.';
comment on column ops.circuit_breaker.model is 'Model of the offer.';
comment on column ops.circuit_breaker.state is 'open, half open or closed.';
comment on column ops.circuit_breaker.consecutive_failures is 'Failures since the last success; three open it.';
comment on column ops.circuit_breaker.last_error_class is 'Class of the last failure.';
comment on column ops.circuit_breaker.last_failed_at is 'When it failed last.';
comment on column ops.circuit_breaker.rests_until is 'When it is tried again.';
