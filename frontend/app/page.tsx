import { Suspense } from "react";
import BrowsePage from "../components/BrowsePage";
import { GridSkeleton } from "../components/VideoGrid";

export default function Page() {
  return (
    <Suspense fallback={<GridSkeleton />}>
      <BrowsePage />
    </Suspense>
  );
}
