"use client";

import { useState } from "react";
import { library, sentenceOf, type Video } from "../lib/library";
import styles from "./FavouriteButton.module.css";
import { HeartIcon } from "./icons";

interface Props {
  video: Video;
  onChange?: (favourite: boolean) => void;
  withLabel?: boolean;
}

/** The favourite as shown, and the change of it. */
function useFavourite(video: Video, onChange?: (favourite: boolean) => void) {
  const [favourite, setFavourite] = useState(video.favourite);
  const [problem, setProblem] = useState("");
  const [busy, setBusy] = useState(false);

  const toggle = async () => {
    if (busy) return;
    const wanted = !favourite;
    setBusy(true);
    setProblem("");
    setFavourite(wanted);
    try {
      const answer = await library.setFavourite(video.id, wanted);
      setFavourite(answer.favourite);
      onChange?.(answer.favourite);
    } catch (error) {
      setFavourite(!wanted);
      setProblem(sentenceOf(error));
    }
    setBusy(false);
  };
  return { favourite, problem, toggle };
}

/** A heart that answers at once and goes back if the library refuses. */
export default function FavouriteButton({ video, onChange, withLabel = false }: Props) {
  const { favourite, problem, toggle } = useFavourite(video, onChange);
  return (
    <>
      <button
        type="button"
        className={`button ${withLabel ? "" : "square"} ${styles.heart}`}
        aria-pressed={favourite}
        aria-label={withLabel ? undefined : `Favourite: ${video.title}`}
        onClick={toggle}
      >
        <HeartIcon filled={favourite} />
        {withLabel && "Favourite"}
      </button>
      {problem && (
        <span role="alert" className={withLabel ? "small" : "visually-hidden"}>
          {problem}
        </span>
      )}
    </>
  );
}
