-- A rule is never SQL text: its conditions become a jsonpath, checked at write. {} holds always and becomes NULL.
create or replace function gateway.fn_compile_conditions(p_conditions jsonb) returns jsonpath
language plpgsql
immutable
set search_path = ''
as $$
begin
    if p_conditions = '{}' then
        return null;
    end if;
    -- First, so that nothing long is ever walked through.
    if length(p_conditions::text) > 16384 then
        raise exception using
            errcode = 'VG400', constraint = 'conditions_are_short',
            message = format('These conditions are too long: %s characters', length(p_conditions::text)),
            hint = 'Use at most 16,384; what many rules share belongs into tiers, tenants or metadata.';
    end if;
    if p_conditions @? '$.**{24}' then
        raise exception using
            errcode = 'VG400', constraint = 'conditions_are_not_deep',
            message = 'These conditions are nested too deeply', hint = 'Nest "any" and "not" at most five deep.';
    end if;
    return gateway.fn_compile_condition(p_conditions, 1)::jsonpath;
end
$$;

comment on function gateway.fn_compile_conditions(jsonb) is
'Compiles a rule''s conditions to a jsonpath predicate over gateway.fn_describe_call(); refuses, in a sentence, what no
call could ever meet. NULL for {}, which every call meets.';
