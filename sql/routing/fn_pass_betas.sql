-- Beta features are Anthropic's: no other kind of server can be told of any. A call names them, its tenant allows some
-- or leaves it to the provider, and so does the provider's list in adapter_settings. What is left is what both allow.
create or replace function gateway.fn_pass_betas(p_asked text[], p_allowed text[], p_candidate jsonb) returns text[]
language sql immutable
set search_path = ''
begin atomic
    select coalesce(array_agg(a.beta order by a.place), '{}')
    from unnest(p_asked) with ordinality as a (beta, place)
    where
        p_candidate ->> 'kind' = 'anthropic' and (p_allowed is null or a.beta = any(p_allowed))
        and coalesce(nullif(p_candidate -> 'settings' -> 'betas', 'null') ? a.beta, true);
end;

comment on function gateway.fn_pass_betas(text[], text[], jsonb) is
'Those of the beta features that a call names which its tenant and this candidate let pass.';

create or replace function gateway.fn_takes_betas(p_asked text[], p_candidate jsonb) returns boolean
language sql immutable
return p_asked is null or gateway.fn_pass_betas(p_asked, null, p_candidate) = p_asked;

comment on function gateway.fn_takes_betas(text[], jsonb) is
'Whether a provider lets all pass of the beta features that a call names.';

-- Nothing is written where nothing is left out: then the worker passes on what the customer said, and the queue does
-- not have to hold it.
create or replace function gateway.fn_mark_betas(p_candidates jsonb, p_asked text[], p_allowed text[]) returns jsonb
language sql immutable
set search_path = ''
begin atomic
    select jsonb_agg(
        case when p.passed = p_asked then c.candidate
        else c.candidate || jsonb_build_object('betas', p.passed) end
        order by c.place
    )
    from jsonb_array_elements(p_candidates) with ordinality as c (candidate, place)
    cross join lateral (values (gateway.fn_pass_betas(p_asked, p_allowed, c.candidate))) as p (passed);
end;

comment on function gateway.fn_mark_betas(jsonb, text[], text[]) is
'Candidates together with the beta features that each may be told of, where those are not all that the call names.';

create or replace function gateway.fn_refuse_betas(p_asked text[], p_allowed text[]) returns gateway.route_decision
language sql stable
return gateway.fn_refuse(
    'invalid_request', 400,
    format(
        'Beta features that may not be used here are asked for in anthropic-beta, and nothing may be left out. %s.',
        case when p_allowed = '{}' then 'None may be used' else 'Allowed: ' || array_to_string(p_allowed, ', ') end
    ), jsonb_build_object('param', 'anthropic-beta')
);

comment on function gateway.fn_refuse_betas(text[], text[]) is
'The refusal of a call that names what its tenant does not allow, of a customer who wants nothing left out.';
