; Loops shared with helping threads, and the number of threads that BLAS may use.

declare i32 @pthread_mutex_lock(ptr)
declare i32 @pthread_mutex_unlock(ptr)
declare i32 @pthread_cond_wait(ptr, ptr)
declare i32 @pthread_cond_signal(ptr)
declare i32 @clock_gettime(i32, ptr)

; Loops ----------------------------------------------------------------------------------------------------------

; Run a kernel over 0 .. extent, in chunks, together with whoever is free to help. The caller never waits for a helper
; that has not begun; where the pool is somebody else's at the moment, it does everything itself. Where it had to wait
; long for a helper that has begun (another process has taken that one's core away), it works alone for a while.
define void @share(ptr %pool, ptr %kernel, ptr %pointers, ptr %row, i64 %extent, i64 %grain) {
start:
  %no.pool = icmp eq ptr %pool, null
  %one.chunk = icmp ule i64 %extent, %grain
  %no.use = or i1 %no.pool, %one.chunk
  br i1 %no.use, label %alone, label %limit
limit:
  %helpers = call i64 @helpers_allowed(ptr %pool)
  %nobody = icmp sle i64 %helpers, 0
  br i1 %nobody, label %alone, label %take
take:
  %busy.at = getelementptr i64, ptr %pool, i64 ${pool.busy}
  %taken = cmpxchg ptr %busy.at, i64 0, i64 1 acquire monotonic
  %ours = extractvalue { i64, i1 } %taken, 1
  br i1 %ours, label %announce, label %alone
alone:
  call void @one_by_one(ptr %kernel, ptr %pointers, ptr %row, i64 %extent, i64 %grain)
  ret void
announce:
  %began = call i64 @now(ptr %pool)
  %rest = field i64 pool.rest %pool
  %resting = icmp ult i64 %began, %rest
  br i1 %resting, label %pause, label %go
pause:
  call void @one_by_one(ptr %kernel, ptr %pointers, ptr %row, i64 %extent, i64 %grain)
  store atomic i64 0, ptr %busy.at release, align 8
  ret void
go:
  %mutex = field ptr pool.mutex %pool
  %work = field ptr pool.work %pool
  %done = field ptr pool.done %pool
  %l1 = call i32 @pthread_mutex_lock(ptr %mutex)
  put ptr %kernel, pool.kernel %pool
  put ptr %pointers, pool.pointers %pool
  put ptr %row, pool.row %pool
  put i64 %extent, pool.extent %pool
  put i64 %grain, pool.grain %pool
  put i64 0, pool.next %pool
  %behind.first = sub i64 %extent, 1
  %chunks.but.one = udiv i64 %behind.first, %grain
  %useful = call i64 @llvm.umin.i64(i64 %helpers, i64 %chunks.but.one)
  %tickets.at = getelementptr i64, ptr %pool, i64 ${pool.tickets}
  store atomic i64 %useful, ptr %tickets.at monotonic, align 8
  %u1 = call i32 @pthread_mutex_unlock(ptr %mutex)
  br label %wake
wake:
  %i = phi i64 [0, %go], [%i.next, %wake]
  %w = call i32 @pthread_cond_signal(ptr %work)
  %i.next = add i64 %i, 1
  %more = icmp ult i64 %i.next, %useful
  br i1 %more, label %wake, label %run
run:
  call void @chunks(ptr %pool)
  %own = call i64 @now(ptr %pool)
  %l2 = call i32 @pthread_mutex_lock(ptr %mutex)
  store atomic i64 0, ptr %tickets.at monotonic, align 8
  %u3 = call i32 @pthread_mutex_unlock(ptr %mutex)
  %active.at = getelementptr i64, ptr %pool, i64 ${pool.active}
  call void @linger(ptr %pool, ptr %active.at, i1 true)
  %l3 = call i32 @pthread_mutex_lock(ptr %mutex)
  br label %wait
wait:
  %active = field i64 pool.active %pool
  %finished = icmp eq i64 %active, 0
  br i1 %finished, label %end, label %sleep
sleep:
  %s = call i32 @pthread_cond_wait(ptr %done, ptr %mutex)
  br label %wait
end:
  %u2 = call i32 @pthread_mutex_unlock(ptr %mutex)
  call void @judge(ptr %pool, i64 %began, i64 %own)
  store atomic i64 0, ptr %busy.at release, align 8
  ret void
}

declare i64 @llvm.umin.i64(i64, i64)

; All chunks, one after the other: the same chunks as with helpers, so the same bits.
define void @one_by_one(ptr %kernel, ptr %pointers, ptr %row, i64 %extent, i64 %grain) {
start:
  br label %chunk
chunk:
  %begin = phi i64 [0, %start], [%whole, %chunk]
  %whole = add i64 %begin, %grain
  %end = call i64 @llvm.umin.i64(i64 %whole, i64 %extent)
  call void %kernel(ptr %pointers, ptr %row, i64 %begin, i64 %end)
  %more = icmp ult i64 %whole, %extent
  br i1 %more, label %chunk, label %done
done:
  ret void
}

; Nanoseconds.
define i64 @now(ptr %pool) {
  %time = alloca [2 x i64]
  %clock = field i64 pool.clock %pool
  %id = trunc i64 %clock to i32
  %failed = call i32 @clock_gettime(i32 %id, ptr %time)
  %seconds = load i64, ptr %time
  %rest.at = getelementptr i64, ptr %time, i64 1
  %rest = load i64, ptr %rest.at
  %whole = mul i64 %seconds, 1000000000
  %all = add i64 %whole, %rest
  ret i64 %all
}

; Whether the wait for helpers, from `own` to now, was worth it: if it was long, and longer than half of the caller's
; own work, helpers are left alone for so long that waiting takes a small part of the time.
define void @judge(ptr %pool, i64 %began, i64 %own) {
start:
  %ended = call i64 @now(ptr %pool)
  %waited = sub i64 %ended, %own
  %worked = sub i64 %own, %began
  %twice = mul i64 %waited, 2
  %is.long = icmp ugt i64 %waited, 300000
  %is.longer = icmp ugt i64 %twice, %worked
  %bad = and i1 %is.long, %is.longer
  br i1 %bad, label %punish, label %done
punish:
  %cost = mul i64 %waited, 32
  %bounded = call i64 @llvm.umin.i64(i64 %cost, i64 1000000000)
  %until = add i64 %ended, %bounded
  put i64 %until, pool.rest %pool
  br label %done
done:
  ret void
}

; How many helpers a loop may have: as many as there are, and one less than the threads that BLAS is limited to.
define i64 @helpers_allowed(ptr %pool) {
start:
  %helpers = field i64 pool.helpers %pool
  %limit = field ptr pool.limit %pool
  %unlimited = icmp eq ptr %limit, null
  br i1 %unlimited, label %all, label %ask
all:
  ret i64 %helpers
ask:
  %wide = call i64 @threads_allowed(ptr %pool, ptr %limit)
  %others = sub i64 %wide, 1
  %fewer = icmp slt i64 %others, %helpers
  %allowed = select i1 %fewer, i64 %others, i64 %helpers
  ret i64 %allowed
}

; How many threads BLAS may use, by a function of its library: now, or before we have limited it ourselves.
define i64 @threads_allowed(ptr %pool, ptr %limit) {
start:
  %blas = field ptr pool.blas %pool
  %no.blas = icmp eq ptr %blas, null
  br i1 %no.blas, label %now, label %depth.look
depth.look:
  %depth = field i64 blas.depth %blas
  %n = field i64 blas.libraries %blas
  %unlimited = icmp eq i64 %depth, 0
  br i1 %unlimited, label %now, label %head
head:
  %i = phi i64 [0, %depth.look], [%i.next, %one]
  %more = icmp ult i64 %i, %n
  br i1 %more, label %one, label %now
one:
  %word = mul i64 %i, ${library}
  %from.start = add i64 %word, ${blas}
  %library = getelementptr i64, ptr %blas, i64 %from.start
  %get = field ptr library.get %library
  %is.it = icmp eq ptr %get, %limit
  %i.next = add i64 %i, 1
  br i1 %is.it, label %before, label %head
before:
  %noted = field i64 library.threads %library
  ret i64 %noted
now:
  %threads = call i32 %limit()
  %wide = sext i32 %threads to i64
  ret i64 %wide
}

; Take chunks of the pool's loop until none is left.
define void @chunks(ptr %pool) {
start:
  %kernel = field ptr pool.kernel %pool
  %pointers = field ptr pool.pointers %pool
  %row = field ptr pool.row %pool
  %extent = field i64 pool.extent %pool
  %grain = field i64 pool.grain %pool
  %next.at = getelementptr i64, ptr %pool, i64 ${pool.next}
  br label %take
take:
  %begin = atomicrmw add ptr %next.at, i64 %grain monotonic
  %left = icmp slt i64 %begin, %extent
  br i1 %left, label %run, label %done
run:
  %whole = add i64 %begin, %grain
  %over = icmp sgt i64 %whole, %extent
  %end = select i1 %over, i64 %extent, i64 %whole
  call void %kernel(ptr %pointers, ptr %row, i64 %begin, i64 %end)
  br label %take
done:
  ret void
}

; Look at a word, which others write, until it is zero (or not), but no longer than the pool has patience. Loops follow
; each other closely, and helpers end at nearly the same time: to be woken from sleep takes as long as a small loop does.
define void @linger(ptr %pool, ptr %word, i1 %zero) {
start:
  %began = call i64 @now(ptr %pool)
  %patience = field i64 pool.patience %pool
  %latest = add i64 %began, %patience
  br label %look
look:
  %value = load atomic i64, ptr %word monotonic, align 8
  %is.zero = icmp eq i64 %value, 0
  %is.there = icmp eq i1 %is.zero, %zero
  br i1 %is.there, label %done, label %wait
wait:
  %time = call i64 @now(ptr %pool)
  %late = icmp ugt i64 %time, %latest
  br i1 %late, label %done, label %look
done:
  ret void
}

; What a helping thread does all its life.
define ptr @serve(ptr %pool) {
start:
  %mutex = field ptr pool.mutex %pool
  %work = field ptr pool.work %pool
  %done = field ptr pool.done %pool
  ; Others look at these two words without the mutex.
  %tickets.at = getelementptr i64, ptr %pool, i64 ${pool.tickets}
  %active.at = getelementptr i64, ptr %pool, i64 ${pool.active}
  %l1 = call i32 @pthread_mutex_lock(ptr %mutex)
  br label %look
look:
  %stop = field i64 pool.stop %pool
  %over = icmp ne i64 %stop, 0
  br i1 %over, label %leave, label %ticket
ticket:
  %tickets = field i64 pool.tickets %pool
  %none = icmp eq i64 %tickets, 0
  br i1 %none, label %sleep, label %help
sleep:
  %s = call i32 @pthread_cond_wait(ptr %work, ptr %mutex)
  br label %look
help:
  %fewer = sub i64 %tickets, 1
  store atomic i64 %fewer, ptr %tickets.at monotonic, align 8
  %active = field i64 pool.active %pool
  %more = add i64 %active, 1
  store atomic i64 %more, ptr %active.at monotonic, align 8
  %u1 = call i32 @pthread_mutex_unlock(ptr %mutex)
  call void @chunks(ptr %pool)
  %l2 = call i32 @pthread_mutex_lock(ptr %mutex)
  %now = field i64 pool.active %pool
  %less = sub i64 %now, 1
  store atomic i64 %less, ptr %active.at monotonic, align 8
  %last = icmp eq i64 %less, 0
  br i1 %last, label %tell, label %rest
tell:
  %t = call i32 @pthread_cond_signal(ptr %done)
  br label %rest
rest:
  %u3 = call i32 @pthread_mutex_unlock(ptr %mutex)
  call void @linger(ptr %pool, ptr %tickets.at, i1 false)
  %l3 = call i32 @pthread_mutex_lock(ptr %mutex)
  br label %look
leave:
  %u2 = call i32 @pthread_mutex_unlock(ptr %mutex)
  ret ptr null
}

; BLAS -----------------------------------------------------------------------------------------------------------

; From here on BLAS uses one thread, in this call and whatever runs beside it; `limited` notes it for the way back.
; The first call that asks for it notes how many threads there were, the last one that ends gives them back.
define void @one_blas_thread(ptr %environment, ptr %limited) {
start:
  %blas = field ptr environment.blas %environment
  %no.blas = icmp eq ptr %blas, null
  %already = load i64, ptr %limited
  %is.limited = icmp ne i64 %already, 0
  %nothing = or i1 %no.blas, %is.limited
  br i1 %nothing, label %done, label %enter
enter:
  store i64 1, ptr %limited
  %mutex = field ptr blas.mutex %blas
  %l = call i32 @pthread_mutex_lock(ptr %mutex)
  %depth = field i64 blas.depth %blas
  %deeper = add i64 %depth, 1
  put i64 %deeper, blas.depth %blas
  %n = field i64 blas.libraries %blas
  %first = icmp eq i64 %depth, 0
  br i1 %first, label %head, label %unlock
head:
  %i = phi i64 [0, %enter], [%i.next, %one]
  %more = icmp ult i64 %i, %n
  br i1 %more, label %one, label %unlock
one:
  %word = mul i64 %i, ${library}
  %from.start = add i64 %word, ${blas}
  %library = getelementptr i64, ptr %blas, i64 %from.start
  %get = field ptr library.get %library
  %set = field ptr library.set %library
  %threads = call i32 %get()
  %wide = sext i32 %threads to i64
  put i64 %wide, library.threads %library
  call void %set(i32 1)
  %i.next = add i64 %i, 1
  br label %head
unlock:
  %u = call i32 @pthread_mutex_unlock(ptr %mutex)
  br label %done
done:
  ret void
}

define void @all_blas_threads(ptr %environment, ptr %limited) {
start:
  %already = load i64, ptr %limited
  %is.limited = icmp ne i64 %already, 0
  br i1 %is.limited, label %enter, label %done
enter:
  store i64 0, ptr %limited
  %blas = field ptr environment.blas %environment
  %mutex = field ptr blas.mutex %blas
  %l = call i32 @pthread_mutex_lock(ptr %mutex)
  %depth = field i64 blas.depth %blas
  %less = sub i64 %depth, 1
  put i64 %less, blas.depth %blas
  %n = field i64 blas.libraries %blas
  %last = icmp eq i64 %less, 0
  br i1 %last, label %head, label %unlock
head:
  %i = phi i64 [0, %enter], [%i.next, %one]
  %more = icmp ult i64 %i, %n
  br i1 %more, label %one, label %unlock
one:
  %word = mul i64 %i, ${library}
  %from.start = add i64 %word, ${blas}
  %library = getelementptr i64, ptr %blas, i64 %from.start
  %set = field ptr library.set %library
  %threads = field i64 library.threads %library
  %short = trunc i64 %threads to i32
  call void %set(i32 %short)
  %i.next = add i64 %i, 1
  br label %head
unlock:
  %u = call i32 @pthread_mutex_unlock(ptr %mutex)
  br label %done
done:
  ret void
}
