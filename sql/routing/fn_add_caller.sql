-- What routing asks of a call beside what the front told of it: whose it is, and how he wants it held and passed on.
create or replace function gateway.fn_add_caller(p_features gateway.request_features, p_principal ops.principal)
returns gateway.request_features
language plpgsql
immutable
set search_path = ''
as $$
declare
    v_features gateway.request_features := p_features;
begin
    v_features.caller_hk := p_principal.customer_hk;
    v_features.is_strict := p_principal.is_strict;
    if not p_principal.keeps_parameters then
        -- What a provider does not let pass is left out.
        v_features.betas := null;
    else
        v_features.needs := nullif(coalesce(v_features.needs, '{}') || coalesce(v_features.parameters, '{}'), '{}');
    end if;
    -- Asked in two steps, since most calls are no more than text, and a function would cost them more than the fields.
    v_features.is_special := v_features.capability = 'image' or v_features.images_out > 0 or v_features.searches > 0
        or v_features.audio_in or v_features.audio_out or v_features.cache_1h or v_features.service_tier is not null
        or v_features.needs is not null or v_features.betas is not null;
    if v_features.is_special then
        v_features.is_special := gateway.fn_is_special(v_features);
    end if;
    return v_features;
end
$$;

comment on function gateway.fn_add_caller(gateway.request_features, ops.principal) is
'The features of a call together with those of its caller that offers are measured by.';
