-- What the desks decided, for ever: rows are added and never changed. Each carries the hash of the one before it.
CREATE TABLE holdfast.audit (
  desk_id       text        NOT NULL,
  position      bigint      NOT NULL CHECK (position > 0),
  ordinal       bigint      NOT NULL,
  at            timestamptz NOT NULL,
  epoch         bigint      NOT NULL,
  action        text        NOT NULL,
  actor         text        NOT NULL,
  scope         text        NOT NULL,
  reason        text        NOT NULL,
  command_id    text,
  outcome       text        NOT NULL,
  body          text        NOT NULL,
  previous_hash text        NOT NULL,
  hash          text        NOT NULL,
  PRIMARY KEY (desk_id, position),
  UNIQUE (desk_id, ordinal)
);

-- The end of each chain, so that cutting off the last rows is noticed too.
CREATE TABLE holdfast.audit_head (
  desk_id  text   PRIMARY KEY,
  position bigint NOT NULL,
  hash     text   NOT NULL
);

CREATE TABLE holdfast.witness (
  desk_id text        PRIMARY KEY,
  epoch   bigint      NOT NULL,
  seen_at timestamptz NOT NULL
);

CREATE FUNCTION holdfast.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% of %.% is refused: it only grows', TG_OP, TG_TABLE_SCHEMA, TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;

CREATE FUNCTION holdfast.head_only_advances() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.desk_id <> OLD.desk_id OR NEW.position <= OLD.position THEN
    RAISE EXCEPTION 'the end of an audit only advances' USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$;

CREATE FUNCTION holdfast.witness_only_grows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.desk_id <> OLD.desk_id OR NEW.epoch <= OLD.epoch THEN
    RAISE EXCEPTION 'the epoch of a witness only grows' USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON holdfast.audit
  FOR EACH STATEMENT EXECUTE FUNCTION holdfast.refuse_change();
CREATE TRIGGER no_removal BEFORE DELETE OR TRUNCATE ON holdfast.audit_head
  FOR EACH STATEMENT EXECUTE FUNCTION holdfast.refuse_change();
CREATE TRIGGER advance BEFORE UPDATE ON holdfast.audit_head
  FOR EACH ROW EXECUTE FUNCTION holdfast.head_only_advances();
CREATE TRIGGER no_removal BEFORE DELETE OR TRUNCATE ON holdfast.witness
  FOR EACH STATEMENT EXECUTE FUNCTION holdfast.refuse_change();
CREATE TRIGGER growth BEFORE UPDATE ON holdfast.witness
  FOR EACH ROW EXECUTE FUNCTION holdfast.witness_only_grows();
