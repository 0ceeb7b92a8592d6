-- auto, a model, or provider/model. A name with a slash may be a model's own (meta-llama/…) before it is
-- provider/model. A rule's target counts for calls that name no model.
create or replace function gateway.fn_resolve_model(
    p_asked text, p_rule ops.rule, out provider text, out model text, out is_free boolean
)
language plpgsql
stable
set search_path = ''
as $$
begin
    model := nullif(p_asked, 'auto');
    is_free := model is null;
    if is_free then
        provider := p_rule.target_provider;
        model := p_rule.target_model;
    elsif position('/' in model) > 0 then
        -- Within, so that a name without a slash starts no query.
        if not exists (
            select from ops.offer as o where o.model_bk = p_asked
        ) and exists (
            select from ops.offer as o where o.provider_bk = split_part(p_asked, '/', 1)
        ) then
            provider := split_part(p_asked, '/', 1);
            model := nullif(substr(p_asked, length(provider) + 2), 'auto');
        end if;
    end if;
end
$$;

comment on function gateway.fn_resolve_model(text, ops.rule) is
'The provider and model that a call may go to: what it asked for, or its rule''s target; NULL is any. Free is a
call that named no model, which a rule may send to any of its targets and fallbacks.';
