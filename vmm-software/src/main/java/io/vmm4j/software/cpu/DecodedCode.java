package io.vmm4j.software.cpu;

import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * The decoded blocks of a machine, by place in its memory, so that a change of page tables keeps
 * them. All its vCPUs share them: what one has decoded, the others find, and what one writes over
 * is void for all.
 *
 * <p>For each page there is a mask of its 64 granules of 64 bytes that hold code. A store to such a
 * page goes the slow way ({@link Mmu}) on every vCPU; one to a granule with code invalidates the
 * blocks there.
 *
 * <p>Where vCPUs take turns, all is for their one thread, but for {@link #writtenByOthers}. Where
 * each has a thread ({@link #isParallel}), changes are made under {@link #lock}:
 *
 * <ul>
 *   <li>A page is {@linkplain #claim claimed} before blocks of it are kept: marked as holding code,
 *       and taken out of every vCPU's fast write path. Until each vCPU has passed once ({@link
 *       VcpuThreads}) the page is not settled, and blocks of it are decoded for one execution each.
 *   <li>A store to a claimed page is made under the lock, and counted. A block whose page was
 *       stored to while it was being decoded is not kept ({@link #add}).
 *   <li>So whoever has seen what a vCPU stored after it changed code, finds the code void.
 * </ul>
 */
public final class DecodedCode {
  private static final int MOST_BLOCKS = 400_000;

  private record Range(long offset, long length) {}

  /** All granules: of a page that is claimed and of which it is not known better. */
  private static final long WHOLE_PAGE = -1;

  private static final VarHandle GRANULES = MethodHandles.arrayElementVarHandle(long[].class);

  private final List<Cpu> cpus = new ArrayList<>();
  private final List<Mmu> mmus = new ArrayList<>();
  private final long[] granules;
  private final Map<Long, List<Block>> blocksOfPage = new HashMap<>();
  private final Map<Long, Block> blocks = new ConcurrentHashMap<>();
  private final Queue<Range> written = new ConcurrentLinkedQueue<>();
  private final PageTables pageTables;
  private final @Nullable KnownBlocks known;
  private final boolean parallel;
  private final VcpuThreads threads = new VcpuThreads();
  private final ReentrantLock lock = new ReentrantLock();

  /** The pages that are not settled, with the epoch that each waits for. */
  private final Map<Integer, Long> unsettled = new ConcurrentHashMap<>();

  /** Counts stores to claimed pages. Written under the lock. */
  private volatile long stores;

  /** No code yet, of a memory of a size, for vCPUs that run on one thread. */
  public DecodedCode(long memoryBytes) {
    this(memoryBytes, null);
  }

  /** The same, for a machine that shares with others what is known of blocks. */
  public DecodedCode(long memoryBytes, @Nullable KnownBlocks known) {
    this(memoryBytes, known, false);
  }

  private DecodedCode(long memoryBytes, @Nullable KnownBlocks known, boolean parallel) {
    this.known = known;
    this.granules = new long[Math.toIntExact(memoryBytes + 4095 >>> 12)];
    this.pageTables = new PageTables(memoryBytes, !parallel);
    this.parallel = parallel;
  }

  /** No code yet, for vCPUs each of which has a thread of its own. */
  public static DecodedCode ofParallel(long memoryBytes) {
    return new DecodedCode(memoryBytes, null, true);
  }

  /** Whether each vCPU has a thread of its own. */
  public boolean isParallel() {
    return parallel;
  }

  /** What the vCPUs' threads agree on. */
  public VcpuThreads threads() {
    return threads;
  }

  /**
   * Guards all changes of decoded blocks and of what is made of them, where vCPUs run in parallel.
   * Whoever holds it takes no other lock, and waits for no vCPU.
   */
  public ReentrantLock lock() {
    return lock;
  }

  /** A vCPU joins; before any runs. */
  void share(Cpu cpu, Mmu mmu) {
    cpus.add(cpu);
    mmus.add(mmu);
  }

  /** The page tables of the machine that translations follow from. */
  PageTables pageTables() {
    return pageTables;
  }

  /** A block that is known, at an offset into a memory; null if there is none. */
  @Nullable Block findKnown(MemorySegment memory, long offset, int codeSize) {
    KnownBlock found = known == null ? null : known.find(memory, offset, codeSize);
    return found == null ? null : new Block(offset, codeSize, found);
  }

  // ---- lookup ----

  private static long key(long offset, int codeSize) {
    return offset << 2 | codeSize >> 2;
  }

  /** The block that begins at an offset into the segment, if there is one that is valid. */
  @Nullable Block find(long offset, int codeSize) {
    Block block = blocks.get(key(offset, codeSize));
    return block != null && block.isValid() ? block : null;
  }

  /** Takes a block that lies in memory, which has been decoded since vCPUs stopped last. */
  void add(Block block, long second) {
    if (blocks.size() >= MOST_BLOCKS) {
      clear();
    }
    keep(block, second);
  }

  private void keep(Block block, long second) {
    Block old = blocks.put(key(block.offset, block.codeSize), block);
    if (old != null) {
      old.invalidate();
    }
    int inFirst = (int) Math.min(block.length, 0x1000 - (block.offset & 0xFFF));
    mark(block, block.offset, inFirst);
    if (second >= 0 && inFirst < block.length) {
      mark(block, second, block.length - inFirst);
    }
  }

  // ---- where vCPUs run in parallel ----

  /** How often claimed pages were stored to: to be read before a block is decoded. */
  long stores() {
    return stores;
  }

  /**
   * Makes a page one that may hold code.
   *
   * @param by the vCPU that asks, on its thread
   * @param offset into the segment
   * @return whether it is settled, so that blocks of it may be kept
   */
  boolean claim(Cpu by, long offset) {
    int page = (int) (offset >>> 12);
    if (unsettled.isEmpty() && holdsCode(offset)) {
      return true;
    }
    lock.lock();
    try {
      if (!holdsCode(offset)) {
        unsettled.put(page, Long.MAX_VALUE); // before anybody sees that it is claimed
        granules(page, WHOLE_PAGE);
        unsettled.put(page, threads.beginPageOfCode(by.member, (long) page << 12));
        by.mmu.protectFromWrites((long) page << 12);
      }
      Long epoch = unsettled.get(page);
      if (epoch != null) {
        by.member.takePagesOfCode();
        if (!threads.reached(epoch, by.member)) {
          return false;
        }
        unsettled.remove(page);
      }
      return true;
    } finally {
      lock.unlock();
    }
  }

  /**
   * Takes a block of claimed and settled pages.
   *
   * @param second the offset of the page it goes on into, or -1
   * @param before what {@link #stores} was before it was decoded
   * @return whether it is kept: not if a store may have changed it meanwhile
   */
  boolean add(Block block, long second, long before) {
    VarHandle.acquireFence();
    lock.lock();
    try {
      if (stores != before) {
        return false;
      }
      if (blocks.size() >= MOST_BLOCKS) {
        clear();
        stores++; // no page is claimed any more
        return false;
      }
      keep(block, second);
      return true;
    } finally {
      lock.unlock();
    }
  }

  /**
   * Stores 1, 2, 4 or 8 bytes to memory that may hold code.
   *
   * @return whether blocks may have become void
   */
  boolean store(MemorySegment memory, long offset, int size, long value) {
    if (!holdsCode(offset)) {
      VarHandle.releaseFence();
      PlainMemory.put(memory, offset, size, value);
      return false;
    }
    lock.lock();
    try {
      PlainMemory.put(memory, offset, size, value);
      return changed(offset, size);
    } finally {
      lock.unlock();
    }
  }

  /**
   * The same if memory holds an expected value.
   *
   * @return whether it does
   */
  boolean compareAndSet(MemorySegment memory, long offset, int size, long expected, long value) {
    if (!holdsCode(offset)) {
      return PlainMemory.compareAndSet(memory, offset, size, expected, value);
    }
    lock.lock();
    try {
      if (!PlainMemory.compareAndSet(memory, offset, size, expected, value)) {
        return false;
      }
      changed(offset, size);
      return true;
    } finally {
      lock.unlock();
    }
  }

  private boolean changed(long offset, long length) {
    stores++;
    return written(offset, length);
  }

  private boolean holdsCode(long offset, long length) {
    long last = Math.min(offset + length - 1 >>> 12, granules.length - 1);
    for (long page = offset >>> 12; page <= last; page++) {
      if (holdsCode(page << 12)) {
        return true;
      }
    }
    return false;
  }

  private void granules(int page, long mask) {
    if (parallel) {
      GRANULES.setVolatile(granules, page, mask);
    } else {
      granules[page] = mask;
    }
  }

  // ---- granules ----

  private void mark(Block block, long offset, int length) {
    int page = (int) (offset >>> 12);
    if (granules[page] == 0 && !parallel) {
      for (Mmu mmu : mmus) {
        mmu.protectFromWrites((long) page << 12);
      }
    }
    granules(page, granules[page] | granuleMask(offset, length));
    blocksOfPage.computeIfAbsent((long) page, p -> new ArrayList<>()).add(block);
  }

  private static long granuleMask(long offset, long length) {
    int first = (int) (offset & 0xFFF) >>> 6;
    int last = (int) Math.min((offset & 0xFFF) + length - 1, 0xFFF) >>> 6;
    return -1L << first & -1L >>> 63 - last;
  }

  // ---- invalidation ----

  /** Whether the page of an offset into the segment holds decoded code. */
  boolean holdsCode(long offset) {
    return (long) GRANULES.getAcquire(granules, (int) (offset >>> 12)) != 0;
  }

  /** Notes that bytes of the segment were written by others than vCPUs. From any thread. */
  public void writtenByOthers(long offset, long length) {
    if (parallel) {
      VarHandle.fullFence(); // the bytes are written before it is asked whether they are code
      if (length > 0 && holdsCode(offset, length)) {
        lock.lock();
        try {
          changed(offset, length);
        } finally {
          lock.unlock();
        }
      }
      return;
    }
    written.add(new Range(offset, length));
    for (Cpu cpu : cpus) {
      cpu.signal(Cpu.SIGNAL_MEMORY);
    }
  }

  /** Acts on what was noted; done by whichever vCPU runs first. Between two instructions. */
  void applyChanges() {
    Range range;
    while ((range = written.poll()) != null) {
      written(range.offset(), range.length());
      pageTables.written(range.offset(), range.length());
    }
  }

  /**
   * Bytes were written: blocks decoded from them are void.
   *
   * @return whether there may have been some
   */
  boolean written(long offset, long length) {
    boolean any = false;
    long end = offset + length;
    for (long at = offset; at < end; at = (at & ~0xFFFL) + 0x1000) {
      int page = (int) (at >>> 12);
      if (page >= granules.length) {
        break;
      }
      long mask = granules[page];
      if (mask != 0 && (mask & granuleMask(at, end - at)) != 0) {
        invalidate(page, at, end);
        any = true;
      }
    }
    return any;
  }

  private void invalidate(int page, long start, long end) {
    List<Block> list = blocksOfPage.get((long) page);
    if (list == null) {
      granules(page, 0);
      unsettled.remove(page);
      return;
    }
    long mask = 0;
    int kept = 0;
    for (int i = 0; i < list.size(); i++) {
      Block block = list.get(i);
      if (!block.isValid()) {
        continue;
      }
      long first = block.offset;
      long last = block.offset + block.length;
      boolean hit = block.crossesPage || first < end && start < last;
      if (hit) {
        block.invalidate();
        blocks.remove(key(block.offset, block.codeSize), block);
      } else {
        list.set(kept++, block);
        mask |= granuleMask(first, block.length);
      }
    }
    list.subList(kept, list.size()).clear();
    granules(page, mask);
    if (kept == 0) {
      blocksOfPage.remove((long) page);
      unsettled.remove(page);
    }
  }

  /** Forgets the blocks that go past, or begin at, a place where a debugger may want to stop. */
  void invalidatePlaces(DebuggerStops stops) {
    lock.lock();
    try {
      invalidateAt(stops);
    } finally {
      lock.unlock();
    }
  }

  private void invalidateAt(DebuggerStops stops) {
    blocks
        .values()
        .removeIf(block -> {
          boolean hit = false;
          for (Instruction in : block.instructions) {
            hit |= stops.endsBlockAt(block.offset + in.offset);
          }
          if (hit) {
            block.invalidate();
          }
          return hit;
        });
  }

  private void clear() {
    for (Block block : blocks.values()) {
      block.invalidate();
    }
    blocks.clear();
    blocksOfPage.clear();
    unsettled.clear();
    for (int page = 0; page < granules.length; page++) {
      granules(page, 0);
    }
  }
}
