; Whether arguments are what a record says, and where their data are.

declare i32 @memcmp(ptr, ptr, i64)
declare ptr @memset(ptr, i32, i64)
declare void @qsort(ptr, i64, i64, ptr)

; Whether the keys of a dictionary come in an order: texts that are equal, or else the same objects.
define i1 @are_in_order(ptr %dictionary, ptr %keys, i64 %n, i64 %texts) {
start:
  %position.at = alloca i64
  %key.at = alloca ptr
  store i64 0, ptr %position.at
  br label %head
head:
  %i = phi i64 [0, %start], [%i.next, %same]
  %more = icmp ult i64 %i, %n
  br i1 %more, label %one, label %yes
one:
  %got = call i32 @PyDict_Next(ptr %dictionary, ptr %position.at, ptr %key.at, ptr null)
  %over = icmp eq i32 %got, 0
  br i1 %over, label %no, label %look
look:
  %key = load ptr, ptr %key.at
  %wanted.at = getelementptr ptr, ptr %keys, i64 %i
  %wanted = load ptr, ptr %wanted.at
  %is.it = icmp eq ptr %key, %wanted
  br i1 %is.it, label %same, label %typed
typed:
  %type.at = getelementptr i8, ptr %key, i64 8
  %type = load ptr, ptr %type.at
  %wanted.type.at = getelementptr i8, ptr %wanted, i64 8
  %wanted.type = load ptr, ptr %wanted.type.at
  %like = icmp eq ptr %type, %wanted.type
  %are.texts = icmp ne i64 %texts, 0
  %comparable = and i1 %like, %are.texts
  br i1 %comparable, label %compare, label %no
compare:
  %compared = call i32 @PyObject_RichCompareBool(ptr %key, ptr %wanted, i32 2)
  %equal = icmp eq i32 %compared, 1
  br i1 %equal, label %same, label %no
same:
  %i.next = add i64 %i, 1
  br label %head
yes:
  ret i1 true
no:
  ret i1 false
}

; The object that an operand is, or null: an argument, or what lies inside an earlier operand. For the value of a context
; variable, and for an attribute, there is a reference that is ours.
define ptr @found(ptr %state, ptr %args, ptr %row) {
start:
  %set.at = alloca ptr
  %source = field i64 operand.source %row
  %where = field i64 operand.where %row
  %is.argument = icmp eq i64 %source, 0
  br i1 %is.argument, label %argument, label %inside
argument:
  %argument.at = getelementptr ptr, ptr %args, i64 %where
  %given = load ptr, ptr %argument.at
  ret ptr %given
inside:
  %objects = field ptr state.objects %state
  %parent.number = field i64 operand.parent %row
  %parent.at = getelementptr ptr, ptr %objects, i64 %parent.number
  switch i64 %source, label %fixed [
    i64 1, label %tuple
    i64 2, label %list
    i64 3, label %key
    i64 4, label %slot
    i64 6, label %context
    i64 7, label %attribute
  ]
tuple:
  %tuple.object = load ptr, ptr %parent.at
  %tuple.items = getelementptr i8, ptr %tuple.object, i64 ${tuple_items}
  %tuple.at = getelementptr ptr, ptr %tuple.items, i64 %where
  %tuple.item = load ptr, ptr %tuple.at
  ret ptr %tuple.item
list:
  ; A comparison of keys may have run Python code since the list's size was looked at.
  %list.object = load ptr, ptr %parent.at
  %list.size.at = getelementptr i8, ptr %list.object, i64 16
  %list.size = load i64, ptr %list.size.at
  %is.inside = icmp ult i64 %where, %list.size
  br i1 %is.inside, label %list.inside, label %nowhere
nowhere:
  ret ptr null
list.inside:
  %list.items.at = getelementptr i8, ptr %list.object, i64 24
  %list.items = load ptr, ptr %list.items.at
  %list.at = getelementptr ptr, ptr %list.items, i64 %where
  %list.item = load ptr, ptr %list.at
  ret ptr %list.item
key:
  %dictionary = load ptr, ptr %parent.at
  %key.object = inttoptr i64 %where to ptr
  %value = call ptr @PyDict_GetItemWithError(ptr %dictionary, ptr %key.object)
  %no.value = icmp eq ptr %value, null
  br i1 %no.value, label %missing, label %present
missing:
  call void @PyErr_Clear()
  ret ptr null
present:
  ret ptr %value
slot:
  %slot.object = load ptr, ptr %parent.at
  %slot.at = getelementptr i8, ptr %slot.object, i64 %where
  %content = load ptr, ptr %slot.at
  ret ptr %content
context:
  %variable = inttoptr i64 %where to ptr
  %got = call i32 @PyContextVar_Get(ptr %variable, ptr null, ptr %set.at)
  %not.got = icmp slt i32 %got, 0
  br i1 %not.got, label %missing, label %set
set:
  %set.value = load ptr, ptr %set.at
  ret ptr %set.value
attribute:
  %owner = load ptr, ptr %parent.at
  %name = inttoptr i64 %where to ptr
  %attribute.value = call ptr @PyObject_GenericGetAttr(ptr %owner, ptr %name)
  %no.attribute = icmp eq ptr %attribute.value, null
  br i1 %no.attribute, label %missing, label %has.attribute
has.attribute:
  ret ptr %attribute.value
fixed:
  %constant = inttoptr i64 %where to ptr
  ret ptr %constant
}

; Whether an object is none of those before it in its chain, whose links are numbers of operands plus one.
define i1 @is_new(ptr %state, ptr %row, i64 %i, ptr %object) {
start:
  %last = field i64 operand.others %row
  %is.alone = icmp eq i64 %last, 0
  br i1 %is.alone, label %done, label %some
some:
  %seen = field ptr state.seen %state
  %are.few = icmp eq ptr %seen, null
  br i1 %are.few, label %chain, label %many
many:
  %is.first.seen = call i1 @is_first_seen(ptr %state, ptr %object)
  ret i1 %is.first.seen
chain:
  %objects = field ptr state.objects %state
  %back = mul i64 %i, -${operand}
  %rows = getelementptr i64, ptr %row, i64 %back
  br label %head
head:
  %link = phi i64 [%last, %chain], [%before, %link.on]
  %j = sub i64 %link, 1
  %other.at = getelementptr ptr, ptr %objects, i64 %j
  %other = load ptr, ptr %other.at
  %same = icmp eq ptr %other, %object
  br i1 %same, label %done, label %link.on
link.on:
  %word = mul i64 %j, ${operand}
  %other.row = getelementptr i64, ptr %rows, i64 %word
  %before = field i64 operand.others %other.row
  %is.first = icmp eq i64 %before, 0
  br i1 %is.first, label %done, label %head
done:
  %answer = phi i1 [true, %start], [false, %head], [true, %link.on]
  ret i1 %answer
}

; The same for long chains: whether an object is not in the table of those seen, in which it is from then on.
define i1 @is_first_seen(ptr %state, ptr %object) {
start:
  %seen = field ptr state.seen %state
  %slots = field i64 state.slots %state
  %mask = sub i64 %slots, 1
  %address = ptrtoint ptr %object to i64
  %product = mul i64 %address, -7046029254386353131
  %spread = lshr i64 %product, 40
  %slot = and i64 %spread, %mask
  br label %head
head:
  %k = phi i64 [%slot, %start], [%k.next, %taken]
  %at = getelementptr i64, ptr %seen, i64 %k
  %found = load i64, ptr %at
  %is.free = icmp eq i64 %found, 0
  br i1 %is.free, label %free, label %full
free:
  store i64 %address, ptr %at
  ret i1 true
full:
  %same = icmp eq i64 %found, %address
  br i1 %same, label %again, label %taken
taken:
  %next = add i64 %k, 1
  %k.next = and i64 %next, %mask
  br label %head
again:
  ret i1 false
}

; Nothing has been seen yet.
define void @see_anew(ptr %state) {
start:
  %seen = field ptr state.seen %state
  %are.few = icmp eq ptr %seen, null
  br i1 %are.few, label %done, label %clear
clear:
  %slots = field i64 state.slots %state
  %bytes = mul i64 %slots, 8
  call ptr @memset(ptr %seen, i32 0, i64 %bytes)
  br label %done
done:
  ret void
}

; Whether an operand is as it should be. Its object, which may be a copy in the order that is asked for, and its data are
; noted down.
define i1 @fits(ptr %environment, ptr %state, ptr %row, i64 %i, ptr %object) {
start:
  %overflow = alloca i32
  %objects = field ptr state.objects %state
  %object.at = getelementptr ptr, ptr %objects, i64 %i
  store ptr %object, ptr %object.at
  %kind = field i64 operand.kind %row
  %what = field ptr operand.what %row
  %is.same = icmp eq ptr %object, %what
  %wants.same = icmp eq i64 %kind, 2
  br i1 %wants.same, label %same, label %again
same:
  ret i1 %is.same
again:
  %wants.again = icmp eq i64 %kind, 7
  br i1 %wants.again, label %as.before, label %look
as.before:
  %other = field i64 operand.what %row
  %other.at = getelementptr ptr, ptr %objects, i64 %other
  %other.object = load ptr, ptr %other.at
  %is.again = icmp eq ptr %object, %other.object
  ret i1 %is.again
look:
  %absent = icmp eq ptr %object, null
  br i1 %absent, label %bad, label %typed
typed:
  %type.at = getelementptr i8, ptr %object, i64 8
  %type = load ptr, ptr %type.at
  switch i64 %kind, label %bad [
    i64 0, label %array
    i64 1, label %number
    i64 3, label %equal
    i64 4, label %sized
    i64 5, label %exact
    i64 6, label %array
    i64 8, label %whole
    i64 9, label %quiet
  ]

quiet:
  %is.capsule = icmp eq ptr %type, %what
  br i1 %is.capsule, label %quiet.bits, label %bad
quiet.bits:
  %settings.at = getelementptr i8, ptr %object, i64 ${capsule_content}
  %settings = load ptr, ptr %settings.at
  %hows = load i32, ptr %settings
  %louds = and i32 %hows, ${loud}
  %is.quiet = icmp eq i32 %louds, 0
  ret i1 %is.quiet

array:
  %ndarray = field ptr environment.ndarray %environment
  %is.array = icmp eq ptr %type, %ndarray
  br i1 %is.array, label %array.axes, label %bad
array.axes:
  %nd.at = getelementptr i8, ptr %object, i64 24
  %nd.short = load i32, ptr %nd.at
  %nd = sext i32 %nd.short to i64
  %nd.wanted = field i64 operand.size %row
  %same.nd = icmp eq i64 %nd, %nd.wanted
  br i1 %same.nd, label %array.lengths, label %bad
array.lengths:
  %dims.at = getelementptr i8, ptr %object, i64 32
  %dims = load ptr, ptr %dims.at
  %lengths = field ptr operand.lengths %row
  br label %axis
axis:
  %j = phi i64 [0, %array.lengths], [%j.next, %axis.good]
  %more.axes = icmp ult i64 %j, %nd.wanted
  br i1 %more.axes, label %axis.check, label %array.dtype
axis.check:
  %dim.at = getelementptr i64, ptr %dims, i64 %j
  %dim = load i64, ptr %dim.at
  %length.at = getelementptr i64, ptr %lengths, i64 %j
  %length = load i64, ptr %length.at
  %same.length = icmp eq i64 %dim, %length
  br i1 %same.length, label %axis.good, label %bad
axis.good:
  %j.next = add i64 %j, 1
  br label %axis
array.dtype:
  %descr.at = getelementptr i8, ptr %object, i64 56
  %descr = load ptr, ptr %descr.at
  %same.descr = icmp eq ptr %descr, %what
  br i1 %same.descr, label %array.flags, label %array.equal
array.equal:
  %equivalent = field ptr environment.equivalent %environment
  %equal.descr = call i8 %equivalent(ptr %descr, ptr %what)
  %not.equal = icmp eq i8 %equal.descr, 0
  br i1 %not.equal, label %bad, label %array.flags
array.flags:
  %flags.at = getelementptr i8, ptr %object, i64 64
  %flags.short = load i32, ptr %flags.at
  %flags = zext i32 %flags.short to i64
  %wanted = field i64 operand.flags %row
  %masked = and i64 %flags, %wanted
  %ordered = icmp eq i64 %masked, %wanted
  br i1 %ordered, label %array.good, label %array.awkward
array.awkward:
  %written = field i64 operand.written %row
  %is.written = icmp ne i64 %written, 0
  br i1 %is.written, label %bad, label %array.order
array.order:
  %refused = field i64 operand.refused %row
  %refused.flags = and i64 %flags, %refused
  %is.refused = icmp ne i64 %refused.flags, 0
  br i1 %is.refused, label %bad, label %array.copy
array.copy:
  %copier = field ptr environment.copier %environment
  %columns = lshr i64 %wanted, 1
  %columns.short = trunc i64 %columns to i32
  %order = and i32 %columns.short, 1
  %copy = call ptr %copier(ptr %object, i32 %order)
  %no.copy = icmp eq ptr %copy, null
  br i1 %no.copy, label %array.failed, label %array.copied
array.failed:
  call void @PyErr_Clear()
  br label %bad
array.copied:
  call void @let_go_of(ptr %state, i64 %i)
  call void @hold(ptr %state, i64 %i, ptr %copy)
  store ptr %copy, ptr %object.at
  br label %array.good
array.good:
  %array.object = phi ptr [%object, %array.flags], [%copy, %array.copied]
  %data.at = getelementptr i8, ptr %array.object, i64 16
  %data = load ptr, ptr %data.at
  %has.contents = icmp eq i64 %kind, 6
  br i1 %has.contents, label %contents, label %array.alone
array.alone:
  %is.new.array = call i1 @is_new(ptr %state, ptr %row, i64 %i, ptr %object)
  br i1 %is.new.array, label %point, label %bad
contents:
  %contents.wanted = field ptr operand.contents %row
  %contents.bytes = field i64 operand.bytes %row
  %difference = call i32 @memcmp(ptr %data, ptr %contents.wanted, i64 %contents.bytes)
  %no.difference = icmp eq i32 %difference, 0
  br i1 %no.difference, label %contents.alone, label %bad
contents.alone:
  %is.new.contents = call i1 @is_new(ptr %state, ptr %row, i64 %i, ptr %object)
  ret i1 %is.new.contents

number:
  %is.number = icmp eq ptr %type, %what
  br i1 %is.number, label %number.good, label %bad
number.good:
  %number.at = getelementptr i8, ptr %object, i64 16
  br label %point

whole:
  %is.whole = icmp eq ptr %type, %what
  br i1 %is.whole, label %whole.value, label %bad
whole.value:
  %whole.value.is = call i64 @PyLong_AsLongLongAndOverflow(ptr %object, ptr %overflow)
  %overflowed = load i32, ptr %overflow
  %is.too.large = icmp ne i32 %overflowed, 0
  br i1 %is.too.large, label %bad, label %whole.sized
whole.sized:
  ; Up to `size` on both sides of 0, if there is such a bound.
  %most = field i64 operand.size %row
  %no.bound = icmp eq i64 %most, 0
  %above = add i64 %whole.value.is, %most
  %width = shl i64 %most, 1
  %is.within = icmp ule i64 %above, %width
  %whole.fits = or i1 %no.bound, %is.within
  br i1 %whole.fits, label %whole.good, label %bad
whole.good:
  %wholes = field ptr state.whole %state
  %whole.at = getelementptr i64, ptr %wholes, i64 %i
  store i64 %whole.value.is, ptr %whole.at
  br label %point

equal:
  br i1 %is.same, label %good, label %equal.type
equal.type:
  %what.type.at = getelementptr i8, ptr %what, i64 8
  %what.type = load ptr, ptr %what.type.at
  %same.type = icmp eq ptr %type, %what.type
  br i1 %same.type, label %equal.value, label %bad
equal.value:
  %compared = call i32 @PyObject_RichCompareBool(ptr %object, ptr %what, i32 2)
  switch i32 %compared, label %equal.failed [
    i32 0, label %bad
    i32 1, label %good
  ]
equal.failed:
  call void @PyErr_Clear()
  br label %bad

sized:
  %size.offset = field i64 operand.bytes %row
  %size.at = getelementptr i8, ptr %object, i64 %size.offset
  %is.sized = icmp eq ptr %type, %what
  br i1 %is.sized, label %sized.size, label %bad
sized.size:
  %size = load i64, ptr %size.at
  %size.wanted = field i64 operand.size %row
  %same.size = icmp eq i64 %size, %size.wanted
  br i1 %same.size, label %sized.alone, label %bad
sized.alone:
  %is.new.container = call i1 @is_new(ptr %state, ptr %row, i64 %i, ptr %object)
  br i1 %is.new.container, label %sized.keys, label %bad
sized.keys:
  %keys = field ptr operand.contents %row
  %any.order = icmp eq ptr %keys, null
  br i1 %any.order, label %good, label %sized.order
sized.order:
  %texts = field i64 operand.flags %row
  %in.order = call i1 @are_in_order(ptr %object, ptr %keys, i64 %size, i64 %texts)
  ret i1 %in.order

exact:
  %is.exact = icmp eq ptr %type, %what
  br i1 %is.exact, label %exact.alone, label %bad
exact.alone:
  %is.new = call i1 @is_new(ptr %state, ptr %row, i64 %i, ptr %object)
  ret i1 %is.new

point:
  %address = phi ptr [%data, %array.alone], [%number.at, %number.good], [%whole.at, %whole.good]
  %pointers = field ptr state.pointers %state
  %pointer = field i64 operand.pointer %row
  %pointer.at = getelementptr ptr, ptr %pointers, i64 %pointer
  store ptr %address, ptr %pointer.at
  br label %good
good:
  ret i1 true
bad:
  ret i1 false
}

; Note an object that is to be let go of when the call is over, with a reference that is ours.
define void @hold(ptr %state, i64 %i, ptr %object) {
  %held = field ptr state.held %state
  %at = getelementptr ptr, ptr %held, i64 %i
  store ptr %object, ptr %at
  ret void
}

define void @let_go_of(ptr %state, i64 %i) {
  %held = field ptr state.held %state
  %at = getelementptr ptr, ptr %held, i64 %i
  call void @let_go(ptr %at, i64 1)
  ret void
}

; Hold what is not an argument: it is its container's, which may let go of it in the middle of the call.
define void @hold_found(ptr %state, ptr %row, i64 %i, ptr %object) {
start:
  %source = field i64 operand.source %row
  switch i64 %source, label %inside [
    i64 0, label %done
    i64 5, label %done
    i64 6, label %own
    i64 7, label %own
  ]
own:
  call void @hold(ptr %state, i64 %i, ptr %object)
  ret void
inside:
  %absent = icmp eq ptr %object, null
  br i1 %absent, label %done, label %keep
keep:
  call void @Py_IncRef(ptr %object)
  call void @hold(ptr %state, i64 %i, ptr %object)
  br label %done
done:
  ret void
}

; Whether all operands are as they should be.
define i1 @all_fit(ptr %record, ptr %state, ptr %args) {
start:
  %environment = field ptr record.environment %record
  %n = field i64 record.noperands %record
  %rows = field ptr record.operands %record
  call void @see_anew(ptr %state)
  br label %head
head:
  %i = phi i64 [0, %start], [%i.next, %next]
  %keys = phi i1 [false, %start], [%keys.next, %next]
  %more = icmp ult i64 %i, %n
  br i1 %more, label %operand, label %looked
operand:
  %word = mul i64 %i, ${operand}
  %row = getelementptr i64, ptr %rows, i64 %word
  %version = field i64 operand.version %row
  %has.version = icmp ne i64 %version, 0
  br i1 %has.version, label %versioned, label %look
versioned:
  ; In a dictionary that nobody has written to since, the object is what it was.
  %objects = field ptr state.objects %state
  %parent = field i64 operand.parent %row
  %parent.at = getelementptr ptr, ptr %objects, i64 %parent
  %dictionary = load ptr, ptr %parent.at
  %version.at = getelementptr i8, ptr %dictionary, i64 ${dictionary_version}
  %version.now = load i64, ptr %version.at
  %is.unchanged = icmp eq i64 %version.now, %version
  br i1 %is.unchanged, label %unchanged, label %look
unchanged:
  %what = field ptr operand.what %row
  %object.at = getelementptr ptr, ptr %objects, i64 %i
  store ptr %what, ptr %object.at
  br label %next
look:
  %version.seen = phi i64 [0, %operand], [%version.now, %versioned]
  %object = call ptr @found(ptr %state, ptr %args, ptr %row)
  call void @hold_found(ptr %state, ptr %row, i64 %i, ptr %object)
  %fit = call i1 @fits(ptr %environment, ptr %state, ptr %row, i64 %i, ptr %object)
  br i1 %fit, label %good, label %bad
good:
  put i64 %version.seen, operand.version %row
  %kind = field i64 operand.kind %row
  %is.sized = icmp eq i64 %kind, 4
  %has.keys.word = field i64 operand.written %row
  %has.keys = icmp ne i64 %has.keys.word, 0
  %is.dictionary = and i1 %is.sized, %has.keys
  %keys.good = or i1 %keys, %is.dictionary
  br label %next
next:
  %keys.next = phi i1 [%keys, %unchanged], [%keys.good, %good]
  %i.next = add i64 %i, 1
  br label %head
looked:
  ; Keys of a dictionary that is given may run Python code as they are compared, and that may move an array's data.
  br i1 %keys, label %still, label %all
still:
  %stayed = call i1 @are_still(ptr %record, ptr %state)
  br i1 %stayed, label %all, label %bad
all:
  %writes = field i64 record.writes %record
  %reads.only = icmp eq i64 %writes, 0
  br i1 %reads.only, label %fine, label %apart
apart:
  %separate = call i1 @are_apart(ptr %record, ptr %state)
  ret i1 %separate
fine:
  ret i1 true
bad:
  ret i1 false
}

; Whether the arrays are what they were when they were looked at; where their data are is noted again.
define i1 @are_still(ptr %record, ptr %state) {
start:
  %environment = field ptr record.environment %record
  %n = field i64 record.noperands %record
  %rows = field ptr record.operands %record
  %objects = field ptr state.objects %state
  call void @see_anew(ptr %state)
  br label %head
head:
  %i = phi i64 [0, %start], [%i.next, %next]
  %more = icmp ult i64 %i, %n
  br i1 %more, label %operand, label %yes
operand:
  %word = mul i64 %i, ${operand}
  %row = getelementptr i64, ptr %rows, i64 %word
  %kind = field i64 operand.kind %row
  %is.array = icmp eq i64 %kind, 0
  br i1 %is.array, label %again, label %next
again:
  %object.at = getelementptr ptr, ptr %objects, i64 %i
  %object = load ptr, ptr %object.at
  %fit = call i1 @fits(ptr %environment, ptr %state, ptr %row, i64 %i, ptr %object)
  br i1 %fit, label %next, label %no
next:
  %i.next = add i64 %i, 1
  br label %head
yes:
  ret i1 true
no:
  ret i1 false
}

; Whether no operand that is written shares memory with another, and none is a copy: arrays are gone through by where
; they begin, and one must not begin before those that were there end, or those of them that are written.
define i1 @are_apart(ptr %record, ptr %state) {
start:
  %n = field i64 record.noperands %record
  %rows = field ptr record.operands %record
  %spans = field ptr state.spans %state
  %held = field ptr state.held %state
  %objects = field ptr state.objects %state
  br label %head
head:
  %i = phi i64 [0, %start], [%i.next, %next]
  %count = phi i64 [0, %start], [%count.next, %next]
  %more = icmp ult i64 %i, %n
  br i1 %more, label %one, label %sort
one:
  %word = mul i64 %i, ${operand}
  %row = getelementptr i64, ptr %rows, i64 %word
  %kind = field i64 operand.kind %row
  %bytes = field i64 operand.bytes %row
  %is.read = icmp eq i64 %kind, 0
  %is.contents = icmp eq i64 %kind, 6
  %is.array = or i1 %is.read, %is.contents
  br i1 %is.array, label %array, label %next
array:
  %source = field i64 operand.source %row
  %held.at = getelementptr ptr, ptr %held, i64 %i
  %copy = load ptr, ptr %held.at
  %is.argument = icmp eq i64 %source, 0
  %may.be.copy = or i1 %is.argument, %is.contents
  %has.copy = icmp ne ptr %copy, null
  %copied = and i1 %may.be.copy, %has.copy
  br i1 %copied, label %no, label %size
size:
  %is.empty = icmp eq i64 %bytes, 0
  br i1 %is.empty, label %next, label %span
span:
  %object.at = getelementptr ptr, ptr %objects, i64 %i
  %object = load ptr, ptr %object.at
  %data.at = getelementptr i8, ptr %object, i64 16
  %begin = load i64, ptr %data.at
  %stop = add i64 %begin, %bytes
  %written = field i64 operand.written %row
  %is.written = icmp eq i64 %written, 1
  %written.word = zext i1 %is.written to i64
  %span.word = mul i64 %count, 3
  %begin.at = getelementptr i64, ptr %spans, i64 %span.word
  %stop.at = getelementptr i64, ptr %begin.at, i64 1
  %written.at = getelementptr i64, ptr %begin.at, i64 2
  store i64 %begin, ptr %begin.at
  store i64 %stop, ptr %stop.at
  store i64 %written.word, ptr %written.at
  %counted = add i64 %count, 1
  br label %next
next:
  %count.next = phi i64 [%count, %one], [%count, %size], [%counted, %span]
  %i.next = add i64 %i, 1
  br label %head
sort:
  call void @qsort(ptr %spans, i64 %count, i64 24, ptr @begins_before)
  br label %each
each:
  %k = phi i64 [0, %sort], [%k.next, %fine]
  %last = phi i64 [0, %sort], [%last.next, %fine]
  %last.written = phi i64 [0, %sort], [%last.written.next, %fine]
  %others = icmp ult i64 %k, %count
  br i1 %others, label %check, label %yes
check:
  %k.word = mul i64 %k, 3
  %k.begin.at = getelementptr i64, ptr %spans, i64 %k.word
  %k.stop.at = getelementptr i64, ptr %k.begin.at, i64 1
  %k.written.at = getelementptr i64, ptr %k.begin.at, i64 2
  %k.begin = load i64, ptr %k.begin.at
  %k.stop = load i64, ptr %k.stop.at
  %k.written.word = load i64, ptr %k.written.at
  %k.written = icmp ne i64 %k.written.word, 0
  %limit = select i1 %k.written, i64 %last, i64 %last.written
  %overlap = icmp ult i64 %k.begin, %limit
  br i1 %overlap, label %no, label %fine
fine:
  %k.next = add i64 %k, 1
  %is.further = icmp ugt i64 %k.stop, %last
  %last.next = select i1 %is.further, i64 %k.stop, i64 %last
  %is.beyond = icmp ugt i64 %k.stop, %last.written
  %counts = and i1 %is.beyond, %k.written
  %last.written.next = select i1 %counts, i64 %k.stop, i64 %last.written
  br label %each
yes:
  ret i1 true
no:
  ret i1 false
}

; The order of two spans, by where they begin.
define i32 @begins_before(ptr %a, ptr %b) {
start:
  %a.begin = load i64, ptr %a
  %b.begin = load i64, ptr %b
  %less = icmp ult i64 %a.begin, %b.begin
  %more = icmp ugt i64 %a.begin, %b.begin
  %less.word = zext i1 %less to i32
  %more.word = zext i1 %more to i32
  %order = sub i32 %more.word, %less.word
  ret i32 %order
}

