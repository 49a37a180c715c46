package io.vmm4j.software.cpu;

import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * What the vCPUs of a machine agree on when each has a thread of its own.
 *
 * <p>A vCPU is <em>in</em> while it may access guest memory, and <em>out</em> otherwise: while it
 * does not run, and while it waits for the machine or another vCPU. Between two instructions it
 * <em>passes</em>. Whoever changes something that other vCPUs may still use begins an epoch. Once
 * every vCPU is out or has passed since, nobody uses what was before. Nobody has to wait for that:
 * {@link #reached} tells.
 *
 * <p>docs/threads.md has the races, one by one.
 */
public final class VcpuThreads {
  private final List<Member> members = new ArrayList<>();
  private final AtomicLong epoch = new AtomicLong();
  private final ReentrantLock alone = new ReentrantLock();
  private volatile @Nullable Member owner;

  /** One vCPU. All methods are for its own thread. */
  public static final class Member {
    private final VcpuThreads all;
    private final Queue<Long> pagesOfCode = new ConcurrentLinkedQueue<>();
    private volatile boolean in;
    private volatile long passed;
    private @Nullable Cpu cpu;
    private @Nullable Thread thread;

    private Member(VcpuThreads all) {
      this.all = all;
    }

    /** Names the vCPU; before it runs. */
    void of(Cpu newCpu) {
      cpu = newCpu;
    }

    /** Begins to run on the calling thread. */
    public void begin() {
      thread = Thread.currentThread();
      enter();
    }

    /** Ends to run on the calling thread. */
    public void end() {
      in = false;
    }

    /**
     * Goes out, if the calling thread is the vCPU's and it is in.
     *
     * @return whether {@link #comeBack} must follow
     */
    public boolean goOut() {
      if (!in || thread != Thread.currentThread()) {
        return false;
      }
      in = false;
      return true;
    }

    /** Comes back in, once no vCPU wants to be alone. */
    public void comeBack() {
      enter();
    }

    private void enter() {
      while (true) {
        in = true;
        Member only = all.owner;
        if (only == null || only == this) {
          break;
        }
        in = false;
        all.alone.lock();
        all.alone.unlock();
      }
      catchUp();
    }

    /** Passes: between two instructions, with no page, block or code in hand. */
    void pass() {
      catchUp();
      Member only = all.owner;
      if (only != null && only != this) {
        in = false;
        enter();
      }
    }

    private void catchUp() {
      long now = all.epoch.get();
      if (passed != now) {
        // What was queued before the epoch began is taken before it counts as passed.
        takePagesOfCode();
        passed = now;
      }
    }

    /** Takes pages that hold code now out of the fast write path. */
    void takePagesOfCode() {
      Cpu me = cpu;
      Long page;
      while (me != null && (page = pagesOfCode.poll()) != null) {
        me.mmu.protectFromWrites(page);
      }
    }

    /**
     * Does something while all other vCPUs are out.
     *
     * @param action accesses memory from the beginning: what the vCPU has known before is void
     */
    void alone(Runnable action) {
      in = false;
      all.alone.lock();
      try {
        all.owner = this;
        all.members.forEach(Member::signal);
        for (Member member : all.members) {
          while (member != this && member.in) {
            Thread.yield();
          }
        }
        enter();
        action.run();
      } finally {
        all.owner = null;
        all.alone.unlock();
      }
    }

    private void signal() {
      Cpu me = cpu;
      if (me != null) {
        me.signal(Cpu.SIGNAL_MEMORY);
      }
    }

    private boolean hasReached(long wanted) {
      return !in || passed >= wanted;
    }
  }

  VcpuThreads() {}

  /** Adds a vCPU; before any runs. */
  public Member add() {
    Member member = new Member(this);
    members.add(member);
    return member;
  }

  /** Begins an epoch, of which every vCPU takes note soon. */
  public long begin() {
    long began = epoch.incrementAndGet();
    members.forEach(Member::signal);
    return began;
  }

  /** Begins an epoch after which a page is in the fast write path of one vCPU at most. */
  long beginPageOfCode(Member by, long offsetPage) {
    for (Member member : members) {
      if (member != by) {
        member.pagesOfCode.add(offsetPage);
      }
    }
    return begin();
  }

  /** Whether every vCPU, but for one perhaps, is out or has passed since an epoch began. */
  boolean reached(long wanted, @Nullable Member except) {
    for (Member member : members) {
      if (member != except && !member.hasReached(wanted)) {
        return false;
      }
    }
    return true;
  }

  /** Whether every vCPU is out or has passed since an epoch began. */
  public boolean reached(long wanted) {
    return reached(wanted, null);
  }

  /**
   * Waits until no vCPU uses what was changed before this call. The caller may hold the machine
   * lock, for a vCPU that waits for it is out; it must hold nothing else that a vCPU waits for.
   */
  public void await() {
    long wanted = begin();
    while (!reached(wanted)) {
      Thread.yield();
    }
  }
}
