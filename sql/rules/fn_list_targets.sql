-- Where a rule sends calls, as one list: its targets at place 0, its fallbacks after them. A single target without
-- fallbacks needs no list: offers are found by it.
create or replace function gateway.fn_list_targets(
    p_targets jsonb, p_provider text, p_model text, p_fallbacks text[], out names text[], out weights numeric[],
    out places integer[]
)
language sql immutable
set search_path = ''
begin atomic
    select
        array_agg(t.name order by t.place, t.name), array_agg(t.weight order by t.place, t.name),
        array_agg(t.place order by t.place, t.name)
    from (
        select e.key as name, (e.value #>> '{}')::numeric as weight, 0 as place from jsonb_each(p_targets) as e
        union all
        select coalesce(p_provider || '/', '') || coalesce(p_model, '*'), 1, 0
        where p_targets is null and p_fallbacks is not null
        union all
        select f.name, 1, f.place::integer from unnest(p_fallbacks) with ordinality as f (name, place)
    ) as t;
end;

comment on function gateway.fn_list_targets(jsonb, text, text, text[]) is
'Targets and fallbacks of a rule with weights and places; provider/* is any model of a provider. NULL for one target.';

create or replace function gateway.fn_weigh_flags(
    p_weights jsonb, p_cost boolean, p_latency boolean, p_quality boolean, out cost float8, out latency float8,
    out quality float8
)
language sql immutable
set search_path = ''
begin atomic
    -- Cost is on by default: it decides alone unless a rule asks for something else, and then after that.
    select
        case
            when p_weights is not null then coalesce((p_weights ->> 'cost')::float8, 0)
            when p_latency or p_quality then 0 else 1
        end,
        case when p_weights is not null then coalesce((p_weights ->> 'latency')::float8, 0) else p_latency::integer end,
        case when p_weights is not null then coalesce((p_weights ->> 'quality')::float8, 0) else p_quality::integer end;
end;

comment on function gateway.fn_weigh_flags(jsonb, boolean, boolean, boolean) is
'Weights of cost, latency and quality in the score of an offer, from a rule''s weights or its flags.';
