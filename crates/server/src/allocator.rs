//! The allocator. ARCHITECTURE.md says why it is mimalloc.

use std::alloc::{GlobalAlloc, Layout};

use libmimalloc_sys as mi;

/// Memory of mimalloc's.
///
/// The crate `mimalloc` asks for an alignment each time, and its quick way is then not taken: two and a half times the
/// instructions. Nearly all that is allocated would be aligned anyway.
pub struct Allocator;

/// What a block is aligned to that is at least as long (mimalloc's `MI_MAX_ALIGN_SIZE`), as C asks of malloc.
const NATURAL: usize = 16;

/// Shorter ones may be aligned to their length alone.
fn is_natural(size: usize, align: usize) -> bool {
    align <= NATURAL && align <= size
}

// SAFETY: mimalloc is an allocator: blocks don't overlap, have the size asked for, are null when there is no memory, stay until
// they are freed, and keep what is in them when they move. They are aligned to what is asked for, by themselves or by the function
// that aligns. Nothing here panics.
unsafe impl GlobalAlloc for Allocator {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: any size can be asked for; an alignment is a power of two.
        let block = unsafe {
            match is_natural(layout.size(), layout.align()) {
                true => mi::mi_malloc(layout.size()),
                false => mi::mi_malloc_aligned(layout.size(), layout.align()),
            }
        };
        block.cast()
    }

    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as above.
        let block = unsafe {
            match is_natural(layout.size(), layout.align()) {
                true => mi::mi_zalloc(layout.size()),
                false => mi::mi_zalloc_aligned(layout.size(), layout.align()),
            }
        };
        block.cast()
    }

    #[inline]
    unsafe fn dealloc(&self, block: *mut u8, _: Layout) {
        // SAFETY: whoever calls promises that the block is one of `alloc`'s and still there.
        unsafe { mi::mi_free(block.cast()) };
    }

    #[inline]
    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: as above.
        let block = unsafe {
            match is_natural(size, layout.align()) {
                true => mi::mi_realloc(block.cast(), size),
                false => mi::mi_realloc_aligned(block.cast(), size, layout.align()),
            }
        };
        block.cast()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sizes about those at which blocks become another kind, up to half a megabyte.
    fn sizes() -> impl Iterator<Item = usize> {
        (0..20)
            .flat_map(|power| [-9, -8, -1, 0, 1, 8, 24].map(|more| (1isize << power) + more))
            .filter_map(|size| usize::try_from(size).ok().filter(|size| *size > 0))
    }

    #[test]
    fn blocks_are_aligned_zeroed_and_keep_what_is_in_them() {
        for size in sizes() {
            for align in (0..13).map(|power| 1 << power) {
                let layout = Layout::from_size_align(size, align).unwrap();
                // SAFETY: each block has the size said, is used while it is there, and freed once, by its last size.
                unsafe {
                    let zeroed = Allocator.alloc_zeroed(layout);
                    let (first, second) = (Allocator.alloc(layout), Allocator.alloc(layout));
                    for block in [zeroed, first, second] {
                        assert!(!block.is_null() && block.addr() % align == 0, "{size}, {align}");
                    }
                    let is_zero = std::slice::from_raw_parts(zeroed, size).iter().all(|octet| *octet == 0);
                    assert!(is_zero, "{size}, {align}");
                    for (block, octet) in [(first, 1), (second, 2), (zeroed, 3)] {
                        block.write_bytes(octet, size);
                    }
                    let longer = Layout::from_size_align(2 * size + 1, align).unwrap();
                    let first = Allocator.realloc(first, layout, longer.size());
                    assert!(first.addr() % align == 0, "{size}, {align}");
                    let is_kept = std::slice::from_raw_parts(first, size).iter().all(|octet| *octet == 1);
                    assert!(is_kept, "{size}, {align}");
                    Allocator.dealloc(first, longer);
                    Allocator.dealloc(second, layout);
                    Allocator.dealloc(zeroed, layout);
                }
            }
        }
    }
}
