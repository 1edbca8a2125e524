"use client";

import { useEffect, useRef, useState } from "react";
import { SearchIcon } from "./icons";
import styles from "./SearchBox.module.css";

export const TYPING_PAUSE_MS = 250;

interface Props {
  /** The words in the address bar. */
  value: string;
  onSearch: (words: string) => void;
}

/** The text in the box, and how it is told: after a pause in the typing, or at once. */
function useTyping({ value, onSearch }: Props) {
  const [text, setText] = useState(value);
  const sent = useRef(value);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);

  useEffect(() => {
    if (value === sent.current) return; // our own words, come back from the address bar
    sent.current = value;
    setText(value);
  }, [value]);

  useEffect(() => () => clearTimeout(timer.current), []);

  const send = (words: string) => {
    clearTimeout(timer.current);
    if (words === sent.current) return;
    sent.current = words;
    onSearch(words);
  };

  const type = (words: string) => {
    setText(words);
    clearTimeout(timer.current);
    timer.current = setTimeout(() => send(words), TYPING_PAUSE_MS);
  };
  return { text, type, send };
}

/** Searches as the visitor types, once they pause; Enter does not wait. */
export default function SearchBox(props: Props) {
  const { text, type, send } = useTyping(props);
  return (
    <form
      role="search"
      className={styles.box}
      onSubmit={(event) => {
        event.preventDefault();
        send(text);
      }}
    >
      <label htmlFor="search" className="visually-hidden">
        Search videos
      </label>
      <SearchIcon />
      <input
        id="search"
        type="search"
        className="field"
        placeholder="Search titles, descriptions, tags"
        autoComplete="off"
        enterKeyHint="search"
        maxLength={200}
        value={text}
        onChange={(event) => type(event.target.value)}
      />
    </form>
  );
}
