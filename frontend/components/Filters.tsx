"use client";

import type { ReactNode } from "react";
import type { Count } from "../lib/library";
import { LENGTHS, type Length, SORTS, type Sort, sortOf, type VideoQuery } from "../lib/query";
import styles from "./Filters.module.css";
import { HeartIcon } from "./icons";

interface Props {
  query: VideoQuery;
  categories: Count[];
  tags: Count[];
  onChange: (change: Partial<VideoQuery>) => void;
}

interface ChoiceProps {
  label: string;
  value: string;
  onPick: (value: string) => void;
  children: ReactNode;
}

function Choice({ label, value, onPick, children }: ChoiceProps) {
  return (
    <label className={styles.choice}>
      <span className="small soft">{label}</span>
      <select className="field" value={value} onChange={(event) => onPick(event.target.value)}>
        {children}
      </select>
    </label>
  );
}

/** A chosen value stays on offer even if the library no longer lists it. */
function withChosen(counts: Count[], chosen: string): Count[] {
  if (!chosen || counts.some(({ name }) => name === chosen)) return counts;
  return [...counts, { name: chosen, count: 0 }];
}

function options(counts: Count[]): ReactNode {
  return counts.map(({ name, count }) => (
    <option key={name} value={name}>
      {name} ({count.toLocaleString("en")})
    </option>
  ));
}

export default function Filters({ query, categories, tags, onChange }: Props) {
  return (
    <div className={styles.filters} role="group" aria-label="Filters">
      <Choice label="Category" value={query.category} onPick={(category) => onChange({ category })}>
        <option value="">All categories</option>
        {options(withChosen(categories, query.category))}
      </Choice>
      <Choice label="Tag" value={query.tag} onPick={(tag) => onChange({ tag })}>
        <option value="">All tags</option>
        {options(withChosen(tags, query.tag))}
      </Choice>
      <Choice label="Duration" value={query.length} onPick={(length) => onChange({ length: length as Length | "" })}>
        <option value="">Any duration</option>
        {Object.entries(LENGTHS).map(([length, { label }]) => (
          <option key={length} value={length}>
            {label}
          </option>
        ))}
      </Choice>
      <Choice label="Sort by" value={sortOf(query)} onPick={(sort) => onChange({ sort: sort as Sort })}>
        {Object.entries(SORTS).map(([sort, label]) => (
          <option key={sort} value={sort}>
            {label}
          </option>
        ))}
      </Choice>
      <button
        type="button"
        className={`button ${styles.favourites}`}
        aria-pressed={query.favourite}
        onClick={() => onChange({ favourite: !query.favourite })}
      >
        <HeartIcon filled={query.favourite} />
        Favourites
      </button>
    </div>
  );
}
