-- How many bytes of text a token of an answer is, by model: what is booked where no provider told, rests on it.
set local role onevault_owner;

alter table gateway.offer_usage_s add column bytes_per_token numeric(6, 3) not null default 4;
comment on column gateway.offer_usage_s.bytes_per_token is
'Bytes of text to a token of an answer, over all answers of the last hours that their provider counted.';
