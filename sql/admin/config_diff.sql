-- Versions follow each other without a gap until a thing is deleted: what begins where its forerunner ends is a change.
create function admin.config_diff(p_from timestamptz, p_to timestamptz default now())
returns table (
    changed_at timestamptz, thing text, name text, change text, attribute text, before jsonb, after jsonb,
    changed_by text, reason text
)
language sql
stable
security definer
set search_path = ''
begin atomic
    with versions as (
        select
            v.thing, v.name, v.document, v.load_date, v.load_end_date, v.record_source, v.change_reason, v.ended_by,
            v.end_reason,
            case
                when lag(v.load_end_date) over (partition by v.thing, v.name order by v.load_date) = v.load_date
                    then lag(v.document) over (partition by v.thing, v.name order by v.load_date)
            end as forerunner,
            coalesce(
                lead(v.load_date) over (partition by v.thing, v.name order by v.load_date), 'infinity'
            ) as next_date
        from admin.config_history as v
    )

    select
        v.load_date, v.thing, v.name, case when v.forerunner is null then 'added' else 'changed' end, a.attribute,
        v.forerunner -> a.attribute, v.document -> a.attribute, v.record_source, v.change_reason
    from versions as v
    cross join lateral jsonb_object_keys(v.document) as a (attribute)
    where
        v.load_date > p_from and v.load_date <= p_to
        and coalesce(v.forerunner -> a.attribute, 'null') <> v.document -> a.attribute
    union all
    select v.load_end_date, v.thing, v.name, 'removed', null, v.document, null, v.ended_by, v.end_reason
    from versions as v
    where v.load_end_date > p_from and v.load_end_date <= p_to and v.next_date <> v.load_end_date
    order by 1, 2, 3, 5;
end;

comment on function admin.config_diff(timestamptz, timestamptz) is
'What was changed after one moment and up to another, an attribute a row: when, what, by whom and why.';
