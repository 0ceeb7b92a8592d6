-- By itself, since it reads all of history.
set local role onevault_owner;

alter table gateway.offer_price_s validate constraint meter_is_known;
alter table gateway.offer_price_s validate constraint threshold_is_not_negative;
alter table gateway.offer_price_s validate constraint service_tier_is_a_word;
alter table gateway.offer_price_s validate constraint batch_is_a_mode;
alter table gateway.offer_price_s validate constraint region_is_a_word;
alter table gateway.offer_price_s validate constraint mode_is_known;
alter table gateway.offer_price_s validate constraint batches_have_the_standard_tier;
alter table gateway.offer_price_s validate constraint variant_has_no_spaces;
alter table gateway.offer_price_s validate constraint tokens_have_no_variant;
