-- Of which month's bill customers were told. Only the clock writes it.
set local role onevault_owner;

create table ops.told_bill (
    bill_digest bytea primary key,
    told_at timestamptz not null
);
comment on table ops.told_bill is 'Bills of months that customers were told of: digests of customer and month.';
