-- Subscriptions are saved with all that they say, and principals know what their plans entitle them to.
set local role onevault_owner;

-- squawk-ignore ban-drop-function
drop function if exists admin.fn_save_subscription(bytea, date, date, text, text);

alter table ops.principal add column entitlements jsonb;
comment on column ops.principal.entitlements is
'Days on which plans entitle the customer to things: {"word": "{[2026-01-01,2026-02-01)}"}; NULL for none ever.';

-- A rule that is made again knows it; one of before cannot ask.
alter table ops.rule add column asks_for_entitlements boolean not null default false;
comment on column ops.rule.asks_for_entitlements is 'Whether entitlements must be known to look at it.';
