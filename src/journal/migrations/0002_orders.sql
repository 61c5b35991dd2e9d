-- How statuses follow one another; of two facts of one millisecond the higher holds.
CREATE FUNCTION holdfast.order_rank(status text) RETURNS integer LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE status WHEN 'unpermitted' THEN 0 WHEN 'intended' THEN 1 WHEN 'unknown' THEN 2 WHEN 'fenced' THEN 3 WHEN 'open' THEN 4 ELSE 5 END
$$;

-- Every order a desk permitted, as it stands, and those it was told fills of without knowing a permit.
CREATE TABLE holdfast.orders (
  desk_id         text        NOT NULL,
  -- The permit's id; without a permit the order's own.
  order_key       text        NOT NULL,
  order_id        text        NOT NULL,
  permit_id       text,
  client_order_id text,
  account         text        NOT NULL,
  venue           text        NOT NULL,
  symbol          text        NOT NULL,
  side            text        NOT NULL,
  currency        text        NOT NULL,
  bot_id          text,
  strategy_id     text,
  execution_id    text,
  workflow_id     text,
  mode            text,
  quantity        numeric,
  price           numeric,
  epoch           bigint,
  reduces         boolean,
  status          text        NOT NULL,
  filled_quantity numeric     NOT NULL,
  filled_notional numeric     NOT NULL,
  fees            numeric     NOT NULL,
  realized        numeric,
  filled_at       timestamptz,
  intended_at     timestamptz NOT NULL,
  updated_at      timestamptz NOT NULL,
  PRIMARY KEY (desk_id, order_key)
);
CREATE INDEX orders_by_time ON holdfast.orders (desk_id, intended_at DESC, order_key DESC);
CREATE INDEX orders_by_client_id ON holdfast.orders (desk_id, client_order_id);
CREATE INDEX orders_by_order_id ON holdfast.orders (desk_id, order_id);
CREATE INDEX orders_by_bot ON holdfast.orders (desk_id, bot_id, intended_at DESC);
CREATE INDEX orders_by_strategy ON holdfast.orders (desk_id, strategy_id, intended_at DESC);
CREATE INDEX orders_by_execution ON holdfast.orders (desk_id, execution_id);

-- Each state of the fills of an order that was told: all amounts so far. What one part came to is the difference to the row before it.
CREATE TABLE holdfast.fills (
  desk_id    text        NOT NULL,
  order_key  text        NOT NULL,
  quantity   numeric     NOT NULL,
  notional   numeric     NOT NULL,
  fees       numeric     NOT NULL,
  realized   numeric,
  at         timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  PRIMARY KEY (desk_id, order_key, quantity)
);
CREATE INDEX fills_by_time ON holdfast.fills (desk_id, at);

-- How scopes and positions stood, at most once a second each, when it changed.
CREATE TABLE holdfast.equity (
  desk_id    text        NOT NULL,
  scope      text        NOT NULL,
  at         timestamptz NOT NULL,
  realized   numeric     NOT NULL,
  fees       numeric     NOT NULL,
  unrealized numeric     NOT NULL,
  exposure   numeric     NOT NULL,
  equity     numeric,
  high_water numeric,
  PRIMARY KEY (desk_id, scope, at)
);

CREATE TABLE holdfast.positions (
  desk_id    text        NOT NULL,
  account    text        NOT NULL,
  venue      text        NOT NULL,
  symbol     text        NOT NULL,
  at         timestamptz NOT NULL,
  quantity   numeric     NOT NULL,
  cost       numeric     NOT NULL,
  price      numeric     NOT NULL,
  unrealized numeric     NOT NULL,
  PRIMARY KEY (desk_id, account, venue, symbol, at)
);
