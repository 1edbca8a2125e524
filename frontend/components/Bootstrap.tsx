"use client";
export default function Bootstrap() {
  return null;
}
