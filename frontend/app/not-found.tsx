import Link from "next/link";
import { EmptyNotice } from "../components/Notice";

export default function NotFound() {
  return (
    <EmptyNotice title="There is no such page">
      <Link href="/">Back to all videos</Link>
    </EmptyNotice>
  );
}
