drop view if exists admin.price;
drop view if exists admin.price_history;
create view admin.price_history as
select
    p.provider_bk::text as provider,
    m.model_bk::text as model,
    s.meter::text as meter,
    s.threshold_tokens,
    s.service_tier::text as service_tier,
    s.region::text as region,
    s.mode::text as mode,
    s.variant::text as variant,
    trim_scale(s.usd_per_million) as usd_per_million,
    s.valid_from,
    s.valid_to,
    s.price_source::text as price_source,
    s.load_date,
    s.load_end_date,
    s.record_source::text as record_source,
    s.change_reason::text as change_reason,
    s.ended_by::text as ended_by,
    s.end_reason::text as end_reason
from gateway.offer_l as l
inner join gateway.offer_price_s as s on l.offer_hk = s.offer_hk
inner join gateway.ai_provider_h as p on l.provider_hk = p.provider_hk
inner join gateway.model_h as m on l.model_hk = m.model_hk;

create view admin.price as
select
    p.provider_bk::text as provider,
    m.model_bk::text as model,
    s.meter::text as meter,
    s.threshold_tokens,
    s.service_tier::text as service_tier,
    s.region::text as region,
    s.mode::text as mode,
    s.variant::text as variant,
    trim_scale(s.usd_per_million) as usd_per_million,
    s.valid_from,
    s.valid_to,
    s.price_source::text as price_source,
    s.valid_from <= n.moment and s.valid_to > n.moment and not exists (
        select from gateway.offer_price_s as later
        where
            later.offer_hk = s.offer_hk and later.meter = s.meter and later.threshold_tokens = s.threshold_tokens
            and later.service_tier = s.service_tier and later.region = s.region and later.mode = s.mode
            and later.variant = s.variant
            and util.fn_is_in_force(later.load_date, later.load_end_date)
            and later.valid_from > s.valid_from and later.valid_from <= n.moment and later.valid_to > n.moment
    ) as is_in_force
from gateway.offer_l as l
inner join gateway.offer_s as o on l.offer_hk = o.offer_hk and util.fn_is_in_force(o.load_date, o.load_end_date)
inner join gateway.ai_provider_s as ps
    on l.provider_hk = ps.provider_hk and util.fn_is_in_force(ps.load_date, ps.load_end_date)
inner join gateway.offer_price_s as s on l.offer_hk = s.offer_hk and util.fn_is_in_force(s.load_date, s.load_end_date)
cross join lateral least(util.fn_as_of(), now()) as n (moment)
inner join gateway.ai_provider_h as p on l.provider_hk = p.provider_hk
inner join gateway.model_h as m on l.model_hk = m.model_hk;

comment on view admin.price is
'What models cost, by date. Of rows that differ in dates alone the one with the latest valid_from counts, so a row with
an end lies over the one below it and gives way again. A changed or inserted row is HAND; while a meter has one, the
price book leaves that meter alone (in that service tier, region, mode and variant, at any threshold). DELETE ends a
row; requests keep the price they were made at.';
comment on column admin.price.provider is 'Provider that runs the model.';
comment on column admin.price.model is 'Model.';
comment on column admin.price.meter is
'What is counted. Tokens: input, output, cache_read, cache_write, cache_write_1h, input_audio, output_audio,
cache_read_audio, input_image, output_image; pieces: image, search, second, character. Of tokens a missing one costs
what the one does that it is a kind of, in the end input or output; without a price for pieces nothing that uses them
goes there.';
comment on column admin.price.threshold_tokens is
'The price is for calls with more input tokens than this, all of the call; 0 if not given: the base.';
comment on column admin.price.service_tier is
'Tier that serves the call: standard if not given, else what the provider calls it, such as flex, priority, fast.';
comment on column admin.price.region is
'For providers whose adapter_settings name this region, and calls that ask Anthropic for it by inference_geo; empty if
not given: any.';
comment on column admin.price.mode is 'sync if not given, or batch.';
comment on column admin.price.variant is 'What of the meter, such as 1024x1024/high of image; empty if not given: any.';
comment on column admin.price.usd_per_million is
'USD per million of what the meter counts: a picture for 0.04 USD is 40000.';
comment on column admin.price.valid_from is
'From when on it holds. If not given: from now, or since ever for the first price of a meter.';
comment on column admin.price.valid_to is 'Until when it holds; infinity if not given.';
comment on column admin.price.price_source is
'HAND or PRICE_BOOK; set it to PRICE_BOOK to give a row back to the price book.';
comment on column admin.price.is_in_force is 'Whether it is the one that counts now.';

comment on view admin.price_history is 'Every version of every price, deleted ones included.';
comment on column admin.price_history.provider is 'Provider that runs the model.';
comment on column admin.price_history.model is 'Model.';
comment on column admin.price_history.meter is 'What is counted.';
comment on column admin.price_history.threshold_tokens is 'Input tokens above which it held.';
comment on column admin.price_history.service_tier is 'Tier that it was for.';
comment on column admin.price_history.region is 'Region that it was for; empty for any.';
comment on column admin.price_history.mode is 'sync or batch.';
comment on column admin.price_history.variant is 'What of the meter; empty for any.';
comment on column admin.price_history.usd_per_million is 'USD per million of what the meter counts.';
comment on column admin.price_history.valid_from is 'From when on it held.';
comment on column admin.price_history.valid_to is 'Until when it held.';
comment on column admin.price_history.price_source is 'HAND or PRICE_BOOK.';
comment on column admin.price_history.load_date is 'Since when this version is known.';
comment on column admin.price_history.load_end_date is 'When it ended; NULL for the version in force.';
comment on column admin.price_history.record_source is 'SQL user who made this version, or price book.';
comment on column admin.price_history.change_reason is 'Why this version was made, as its maker said.';
comment on column admin.price_history.ended_by is 'SQL user who deleted it; NULL unless it was.';
comment on column admin.price_history.end_reason is 'Why it was deleted.';
