package io.vmm4j.engine.machine.run;

import io.vmm4j.engine.machine.failure.DeviceFailures;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;

/** Tasks that wait to be run with the machine lock held. Added from any thread. */
public final class TaskQueue {
  private record Task(String path, Runnable action, boolean device) {}

  private static final int MOST_DEVICE_TASKS = 10_000;

  private final Queue<Task> tasks = new ConcurrentLinkedQueue<>();
  private final DeviceFailures failures;

  TaskQueue(DeviceFailures failures) {
    this.failures = failures;
  }

  /** Adds one, of a device or of another part of the machine. */
  void add(String path, Runnable action, boolean device) {
    tasks.add(new Task(path, action, device));
  }

  boolean isEmpty() {
    return tasks.isEmpty();
  }

  /** Runs those that wait now; what they add waits for the next time. With the lock held. */
  public void runAll() {
    for (int left = tasks.size(); left > 0; left--) {
      Task task = tasks.poll();
      if (task == null) {
        return;
      }
      run(task);
    }
  }

  private void run(Task task) {
    try {
      task.action.run();
    } catch (Throwable e) {
      failures.failed(task.path, "a task", e);
    }
  }

  /**
   * Runs those of devices, and what these add, up to a limit: a device that adds one for ever keeps
   * nobody. Others keep their place. With the lock held.
   */
  public void runDevices() {
    for (int left = MOST_DEVICE_TASKS; left > 0; left--) {
      Optional<Task> next = tasks.stream().filter(Task::device).findFirst();
      if (next.isEmpty() || !tasks.remove(next.get())) {
        return;
      }
      run(next.get());
    }
  }

  /** Drops those of a device. */
  public void release(String path) {
    tasks.removeIf(task -> task.path.equals(path));
  }

  void clear() {
    tasks.clear();
  }
}
