"use client";

import { type FormEvent, useId, useState } from "react";
import { sentenceOf } from "../lib/library";
import styles from "./NameForm.module.css";

interface Props {
  label: string;
  action: string;
  initial?: string;
  /** Does what the name is for and answers what to say then. */
  onName: (name: string) => Promise<string>;
}

/** One name and one button; what came of it is said below. */
export default function NameForm({ label, action, initial = "", onName }: Props) {
  const id = useId();
  const [name, setName] = useState(initial);
  const [said, setSaid] = useState("");
  const [busy, setBusy] = useState(false);

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (!name.trim() || busy) return;
    setBusy(true);
    try {
      setSaid(await onName(name.trim()));
      setName(initial);
    } catch (error) {
      setSaid(sentenceOf(error));
    }
    setBusy(false);
  };

  return (
    <form className="row" onSubmit={submit}>
      <label htmlFor={id} className="visually-hidden">
        {label}
      </label>
      <input id={id} className={`field ${styles.name}`} placeholder={label} maxLength={80} required value={name} onChange={(event) => setName(event.target.value)} />
      <button type="submit" className="button primary" disabled={busy}>
        {action}
      </button>
      <p role="status" aria-live="polite">
        {said}
      </p>
    </form>
  );
}
