package io.vmm4j.snapshot;

import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Runs tasks on a few threads and hands their results on in the order of the tasks, on the caller's
 * thread. At most two tasks a thread are under way, each with a workspace of its own that is used
 * again once the result was taken.
 *
 * @param <W> the workspace
 * @param <R> the result
 */
final class OrderedPipeline<W extends AutoCloseable, R> implements AutoCloseable {

  /** Compression and SHA-256 saturate a few cores; more would only wait for the stream. */
  private static final int MAX_THREADS = 4;

  /** What a worker does. */
  interface Work<W, R> {
    R run(W workspace) throws IOException;
  }

  /** What the caller's thread does with a result. */
  interface Taker<R> {
    void take(R result) throws IOException;
  }

  private record Pending<W, R>(W workspace, Future<R> result) {}

  private final Supplier<W> workspaces;
  private final Taker<R> taker;
  private final int threads;
  private final Deque<Pending<W, R>> pending = new ArrayDeque<>();
  private final Deque<W> free = new ArrayDeque<>();
  private final List<W> all = new ArrayList<>();
  private final List<Thread> workers = new ArrayList<>();
  private @Nullable ExecutorService executor;

  /**
   * A pipeline, its threads started with the first task.
   *
   * @param parallel whether to use threads at all; a little work is done sooner without
   */
  OrderedPipeline(boolean parallel, Supplier<W> workspaces, Taker<R> taker) {
    this.threads = parallel ? Math.min(MAX_THREADS, Runtime.getRuntime().availableProcessors()) : 0;
    this.workspaces = workspaces;
    this.taker = taker;
  }

  void submit(Work<W, R> work) throws IOException {
    if (threads == 0) {
      W workspace = workspace();
      taker.take(work.run(workspace));
      free.push(workspace);
      return;
    }
    if (executor == null) {
      executor =
          Executors.newFixedThreadPool(
              threads,
              task -> {
                Thread worker =
                    Thread.ofPlatform()
                        .daemon()
                        .name("vmm4j-snapshot-" + workers.size())
                        .unstarted(task);
                workers.add(worker);
                return worker;
              });
    }
    if (pending.size() == 2 * threads) {
      takeFirst();
    }
    W workspace = workspace();
    pending.add(new Pending<>(workspace, executor.submit(() -> work.run(workspace))));
  }

  /** Takes what is still under way. */
  void drain() throws IOException {
    while (!pending.isEmpty()) {
      takeFirst();
    }
  }

  private W workspace() {
    if (!free.isEmpty()) {
      return free.pop();
    }
    W workspace = workspaces.get();
    all.add(workspace);
    return workspace;
  }

  private void takeFirst() throws IOException {
    Pending<W, R> first = pending.remove();
    taker.take(UninterruptedWait.get(first.result()));
    free.push(first.workspace());
  }

  /** Waits until no task runs any more, and releases the workspaces. */
  @Override
  public void close() {
    if (executor != null) {
      // Not shutdownNow: an interrupt would close a channel that a source may read from.
      executor.shutdown();
      workers.forEach(OrderedPipeline::join);
    }
    for (W workspace : all) {
      try {
        workspace.close();
      } catch (Exception e) {
        throw new IllegalStateException(e);
      }
    }
    all.clear();
  }

  private static void join(Thread worker) {
    boolean interrupted = false;
    while (worker.isAlive()) {
      try {
        worker.join();
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
