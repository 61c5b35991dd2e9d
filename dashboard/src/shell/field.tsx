/** A line of text with its name. */
interface FieldProps {
  readonly label: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly placeholder?: string;
  readonly maxLength?: number;
}

/** The gateway takes reasons of five hundred characters. */
const REASON = 500;

export function Field({ label, value, onChange, placeholder, maxLength = REASON }: FieldProps) {
  return (
    <label>
      {label}
      <input
        value={value}
        maxLength={maxLength}
        autoComplete="off"
        spellCheck={false}
        placeholder={placeholder}
        onChange={(event) => {
          onChange(event.target.value);
        }}
      />
    </label>
  );
}
