create or replace function admin.fn_explain_drop(p_dropped_because text) returns text
language sql immutable parallel safe
return case p_dropped_because
    when 'provider_inactive' then 'dropped: the provider is switched off'
    when 'offer_inactive' then 'dropped: the model is switched off'
    when 'no_key' then 'dropped: the house has no active key for the provider'
    when 'no_price' then 'dropped: it has no price for input, for output or for what else the call would use'
    when 'capability' then 'dropped: it does not do what the call asks for'
    when 'stream' then 'dropped: it cannot stream'
    when 'tools' then 'dropped: it takes no tools'
    when 'vision' then 'dropped: it takes no images'
    when 'structured' then 'dropped: it gives no structured output'
    when 'surface' then 'dropped: it is not served by this route'
    when 'inputs' then 'dropped: it takes fewer texts a call'
    when 'unsupported' then 'dropped: it cannot be told all that the call says'
    when 'service_tier' then 'dropped: it has no prices in the service tier asked for'
    when 'model_not_allowed' then 'dropped: not among the allowed models'
    when 'compliance' then 'dropped: the provider does not meet the required compliance'
    when 'context' then 'dropped: the prompt is longer than its context'
    when 'quality' then 'dropped: its quality score is below what the rule asks for'
    when 'own_key' then 'dropped: the customer''s own key was not taken, and does not fall back to the house''s'
    when 'max_cost' then 'dropped: it may cost more than max_cost'
    when 'limit' then 'dropped: a usage limit has no room for it'
    else 'dropped: ' || replace(p_dropped_because, '_', ' ')
end;

comment on function admin.fn_explain_drop(text) is 'Why an offer is no candidate, as a sentence.';
