-- What customers were told of their budgets, so that each threshold is told once in a window. Only the clock writes it.
set local role onevault_owner;

create table ops.told_budget (
    window_digest bytea primary key,
    percent integer not null,
    told_at timestamptz not null
);
comment on table ops.told_budget is 'The highest threshold of a budget''s window that customers were told of.';
