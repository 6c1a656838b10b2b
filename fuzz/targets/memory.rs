//! How much a run may allocate.

use peak_alloc::PeakAlloc;

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

/// Runs it, and panics where it held more than `bytes` more than there were before, at any moment. Other threads count
/// too: one run at a time.
pub(super) fn within<T>(bytes: usize, run: impl FnOnce() -> T) -> T {
    ALLOCATOR.reset_peak_usage();
    let before = ALLOCATOR.current_usage();
    let outcome = run();
    let most = ALLOCATOR.peak_usage().saturating_sub(before);
    assert!(most <= bytes, "{most} bytes were held at once, where {bytes} are allowed");
    outcome
}
