-- All that ops keeps can be had again from the vault: what tokens, offers and rules are, what each scope spent
-- this day and month, what open reservations hold.
create or replace function ops.fn_rebuild_hot_state() returns integer
language plpgsql
set search_path = ''
as $$
declare
    v_differing integer;
begin
    perform ops.fn_refresh_limits(array(
        select c.usage_limit_hk from ops.current_limit as c
        union
        select l.usage_limit_hk from ops.usage_limit as l
    ));
    perform ops.fn_refresh_principals(array(select h.customer_hk from gateway.customer_h as h));
    perform ops.fn_refresh_offers(array(select l.offer_hk from gateway.offer_l as l));
    perform ops.fn_refresh_provider_rates(array(select h.provider_hk from gateway.ai_provider_h as h));
    perform ops.fn_refresh_rules(array(select h.routing_rule_hk from gateway.routing_rule_h as h));
    v_differing := (select count(*) from ops.budget_invariant);
    perform ops.fn_recount_limits(null);
    perform ops.fn_recount_scopes(null);
    return v_differing;
end
$$;

comment on function ops.fn_rebuild_hot_state() is
'Rebuilds the hot state from the vault; returns how many budgets and limits held other sums than
vault and open requests.';
