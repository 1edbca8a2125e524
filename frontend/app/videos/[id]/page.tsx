import type { Metadata } from "next";
import { Suspense } from "react";
import Watch from "../../../components/Watch";

export const metadata: Metadata = { title: "Watch" };

export default async function Page({ params }: { params: Promise<{ id: string }> }) {
  const { id } = await params;
  return (
    <Suspense>
      <Watch key={id} id={id} />
    </Suspense>
  );
}
