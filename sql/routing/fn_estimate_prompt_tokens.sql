-- The most that any maker is known to count for pictures of these sizes, whoever will be asked: patches of 32 pixels at
-- OpenAI, up to 2,500 of them times 2.46 in the smallest models, or all of them times 1.2 in the largest, which scale
-- to 6,000 pixels; patches of 28 at Anthropic; at Google 1,120, or 258 a tile of two thirds of the shorter side in
-- older models. GPT-4o mini alone counts more, in tokens that are as much cheaper; what calls have really used tells.
create or replace function gateway.fn_count_picture_tokens(p_pictures integer[]) returns bigint
language sql immutable parallel safe
set search_path = ''
begin atomic
    select coalesce(sum(greatest(
        1120, ceil(2.46 * least(m.patches, 2500)), ceil(1.2 * m.patches), least(m.smaller_patches, 4784), 258 * m.tiles
    )), 0)::bigint
    from generate_series(1, cardinality(p_pictures) - 1, 2) as i (place)
    cross join lateral (
        values (greatest(p_pictures[i.place], 1)::numeric, greatest(p_pictures[i.place + 1], 1)::numeric)
    ) as p (width, height)
    cross join lateral (
        values (least(greatest(trunc(least(p.width, p.height) / 1.5), 256), 768))
    ) as t (side)
    cross join lateral (
        values (
            least(ceil(p.width / 32), 188) * least(ceil(p.height / 32), 188),
            ceil(p.width / 28) * ceil(p.height / 28), ceil(p.width / t.side) * ceil(p.height / t.side)
        )
    ) as m (patches, smaller_patches, tiles);
end;

comment on function gateway.fn_count_picture_tokens(integer[]) is
'Most input tokens that pictures of these widths and heights, in turn, may have at any maker of models.';

-- Deliberately high: real tokenizers need three to five bytes a token, few texts fall under two.
create or replace function gateway.fn_estimate_prompt_tokens(
    p_bytes bigint, p_images integer, p_messages integer, p_pictures integer[] default null
) returns bigint
language sql immutable parallel safe
return (coalesce(p_bytes, 0) + 1) / 2 + 8 * coalesce(p_messages, 0) + 16 + case
    when p_pictures is null then 3000 * coalesce(p_images, 0)
    else 3000 * greatest(coalesce(p_images, 0) - cardinality(p_pictures) / 2, 0)
        + gateway.fn_count_picture_tokens(p_pictures)
end;

comment on function gateway.fn_estimate_prompt_tokens(bigint, integer, integer, integer[]) is
'Input tokens to reserve for: one per two bytes of text, 8 a message, and 16; for an image what its size may come to, or
3,000 where that is not known.';
