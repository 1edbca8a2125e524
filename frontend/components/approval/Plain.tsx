import { reveal } from "../../lib/reveal";
import styles from "./approval.module.css";

/** Text from outside, with nothing in it left invisible. */
export default function Plain({ children }: { children: string }) {
  return (
    <bdi dir="ltr">
      {reveal(children).map((piece, index) =>
        piece.hidden ? (
          <mark key={index} className={styles.hidden} title="A character that cannot be seen">
            {piece.text}
          </mark>
        ) : (
          piece.text
        ),
      )}
    </bdi>
  );
}
