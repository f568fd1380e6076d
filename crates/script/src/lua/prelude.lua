-- Makes the environment of scripts. It is run once a state, with what the host gives, and gives the environment and the
-- function that takes out of it what a run left there. What a script can reach is either its run's own or can't be changed.

local host = ...

local error, getmetatable, next, pairs, rawget, rawlen, rawset, select, setmetatable, tostring, type =
  error, getmetatable, next, pairs, rawget, rawlen, rawset, select, setmetatable, tostring, type
local raw_load, raw_pcall, raw_xpcall = load, pcall, xpcall
local concat, pack, unpack = table.concat, table.pack, table.unpack
local popen, execute = io.popen, os.execute
local gmatch, gsub, find = host.gmatch, host.gsub, host.find

-- Ranges that C walks without a look at the clock.
local MOST = 10000000

local function bounded(from, to)
  if type(from) == "number" and type(to) == "number" and to - from > MOST then
    error("the range is too long", 3)
  end
end

local function copy(from)
  local to = {}
  for name, value in next, from do
    to[name] = value
  end
  return to
end

local function refused(name)
  return function()
    error(name .. " is not allowed; sms.conf's allow-system would allow it", 2)
  end
end

-- Base functions.

local base = copy(_G)
for _, name in ipairs { "_G", "string", "table", "math", "os", "io", "coroutine", "utf8", "package", "debug", "bit32",
  "require", "collectgarbage", "dofile", "loadfile" } do
  base[name] = nil
end

local function line(...)
  local words = { ... }
  for at = 1, select("#", ...) do
    words[at] = tostring(words[at])
  end
  return concat(words, "\t")
end

function base.print(...)
  host.log(line(...))
end

function base.warn(...)
  host.log(line(...))
end

-- Errors of the host's functions are texts for the script, as all others are.
local function told(fine, problem, ...)
  if not fine and type(problem) == "userdata" then
    problem = host.words(problem)
  end
  return fine, problem, ...
end

function base.pcall(...)
  return told(raw_pcall(...))
end

-- A handler can't be stopped while an error is on its way: only the traceback is taken there, and the script's own
-- handler is called afterwards.
local caught = {}
local trace

local function catch(problem)
  if type(problem) == "userdata" then
    problem = host.words(problem)
  end
  return setmetatable({ problem = problem, trace = host.traceback(nil, 2) }, caught)
end

local function handled(handler, fine, problem, ...)
  if fine then
    return true, problem, ...
  end
  if type(problem) ~= "table" or getmetatable(problem) ~= caught then
    return false, handler(problem)
  end
  trace = problem.trace
  local results = pack(handler(problem.problem))
  trace = nil
  return false, unpack(results, 1, results.n)
end

function base.xpcall(work, handler, ...)
  return handled(handler, raw_xpcall(work, catch, ...))
end

-- Compiled code could bring the server down: text alone.
function base.load(chunk, name, _, ...)
  if select("#", ...) > 0 then
    return raw_load(chunk, name, "t", (...))
  end
  return raw_load(chunk, name, "t")
end
base.loadstring = base.load

function base.loadfile(path, _, env)
  local fine, chunk = raw_pcall(host.chunk, path)
  if not fine then
    return nil, host.words(chunk)
  end
  if env ~= nil then
    local file = io.open(path, "rb")
    local text = file:read("a")
    file:close()
    return raw_load(text, "@" .. path, "t", env)
  end
  return chunk
end

function base.dofile(path)
  return host.chunk(path)()
end

-- The environment looks up in `base` what it does not have, and makes the rest when it is first asked for: most scripts
-- use little. Whoever could tell gets a table that has all of it.
local env, shape = {}, { __index = base, __metatable = false }
local makers = {}

local function is_bare(object)
  return object == env and getmetatable(env) == false
end

local function all_of_env()
  local all = copy(base)
  for name in next, makers do
    all[name] = env[name]
  end
  for name, value in next, env do
    all[name] = value
  end
  return all
end

function shape.__pairs()
  return next, all_of_env()
end

local function fill()
  for name, value in next, all_of_env() do
    rawset(env, name, value)
  end
  shape.__metatable = nil
  setmetatable(env, nil)
  shape.__metatable = false
  host.spend()
end

-- A finalizer can't be stopped once it runs.
function base.setmetatable(object, metatable)
  if type(metatable) == "table" and rawget(metatable, "__gc") ~= nil then
    error("__gc is not available to scripts", 2)
  end
  if is_bare(object) then
    fill()
  end
  return setmetatable(object, metatable)
end

function base.getmetatable(object)
  if is_bare(object) then
    return nil
  end
  return getmetatable(object)
end

function base.rawget(object, name)
  if is_bare(object) then
    return env[name]
  end
  return rawget(object, name)
end

function base.next(object, name)
  if is_bare(object) then
    fill()
  end
  return next(object, name)
end

function base.collectgarbage(what)
  return what == "count" and collectgarbage("count") or 0
end

base.unpack = unpack

-- Lua 5.1: a function's environment is its upvalue; what can be done is done.
function base.getfenv()
  return nil
end
function base.setfenv(work)
  return work
end

-- Libraries.

local text = copy(string)
text.find, text.match, text.gmatch, text.gsub = host.find, host.match, host.gmatch, host.gsub
text.gfind = host.gmatch
text.dump = nil

local tables = copy(table)
function tables.move(from, first, last, at, to)
  bounded(first, last)
  return table.move(from, first, last, at, to or from)
end
function tables.insert(list, ...)
  bounded(1, #list)
  return table.insert(list, ...)
end
function tables.remove(list, ...)
  bounded(1, #list)
  return table.remove(list, ...)
end
function tables.concat(list, separator, first, last)
  bounded(first or 1, last or #list)
  return concat(list, separator or "", first or 1, last or #list)
end
function tables.maxn(list)
  local most = 0
  for key in next, list do
    if type(key) == "number" and key > most then
      most = key
    end
  end
  return most
end
function tables.getn(list)
  return #list
end

local maths = copy(math)
function maths.pow(x, y)
  return x ^ y
end
function maths.log10(x)
  return math.log(x, 10)
end
function maths.ldexp(x, e)
  return x * 2.0 ^ e
end
function maths.cosh(x)
  return (math.exp(x) + math.exp(-x)) / 2
end
function maths.sinh(x)
  return (math.exp(x) - math.exp(-x)) / 2
end
function maths.tanh(x)
  return maths.sinh(x) / maths.cosh(x)
end
maths.mod = math.fmod

local system = copy(os)
function system.exit()
  host.freeswitch.consoleLog("err", "Surely you jest! exiting is a bad plan....\n")
end
function system.execute(...)
  if not host.may_run() then
    refused("os.execute")()
  end
  return execute(...)
end
function system.setlocale()
  return nil
end

local files = copy(io)
function files.popen(...)
  if not host.may_run() then
    refused("io.popen")()
  end
  return popen(...)
end
function files.write(...)
  local words = { ... }
  for at = 1, select("#", ...) do
    words[at] = tostring(words[at])
  end
  host.log((gsub(concat(words), "\n$", "")))
  return io.stdout
end

local bits = {}
local function word(number)
  return math.tointeger(number // 1) & 0xFFFFFFFF
end
function bits.band(...)
  local all = 0xFFFFFFFF
  for at = 1, select("#", ...) do
    all = all & word((select(at, ...)))
  end
  return all
end
function bits.bor(...)
  local all = 0
  for at = 1, select("#", ...) do
    all = all | word((select(at, ...)))
  end
  return all
end
function bits.bxor(...)
  local all = 0
  for at = 1, select("#", ...) do
    all = all ~ word((select(at, ...)))
  end
  return all
end
function bits.btest(...)
  return bits.band(...) ~= 0
end
function bits.bnot(number)
  return ~word(number) & 0xFFFFFFFF
end
function bits.lshift(number, by)
  if by < 0 then
    return word(number) >> -by
  end
  return (word(number) << by) & 0xFFFFFFFF
end
function bits.rshift(number, by)
  if by < 0 then
    return (word(number) << -by) & 0xFFFFFFFF
  end
  return word(number) >> by
end

local debugging = {}
function debugging.traceback(problem, level)
  if problem ~= nil and type(problem) ~= "string" and type(problem) ~= "number" then
    return problem
  end
  if trace then
    return problem and problem .. "\n" .. trace or trace
  end
  return host.traceback(problem and tostring(problem), level)
end
function debugging.getinfo(level)
  if type(level) ~= "number" then
    return { source = "=?", short_src = "?", currentline = -1, what = "Lua" }
  end
  local place = { host.where(level + 1) }
  if place[1] == nil then
    return nil
  end
  return { source = "@" .. place[1], short_src = place[1], currentline = place[2], what = "Lua" }
end

-- require, for one run: nothing of it is shared with the next.

local function search(name, path, separator, by)
  local wanted = separator and (gsub(name, "%" .. separator, by or "/")) or name
  local tried = {}
  for template in gmatch(path, "[^;]+") do
    local file = gsub(template, "%?", (gsub(wanted, "%%", "%%%%")))
    local open = io.open(file, "rb")
    if open then
      open:close()
      return file
    end
    tried[#tried + 1] = "\n\tno file '" .. file .. "'"
  end
  return nil, concat(tried)
end

local function searchpath(name, path, separator, by)
  return search(name, path, separator or ".", by)
end

local function requirer(package)
  return function(name)
    local known = package.loaded[name]
    if known ~= nil then
      return known
    end
    local loader, where = package.preload[name], ":preload:"
    if loader == nil then
      local tried
      where, tried = search(name, package.path, ".")
      if where == nil then
        local compiled = search(name, package.cpath, ".")
        if compiled then
          error("module '" .. name .. "' not loaded: " .. compiled .. " is machine code, which is not loaded", 2)
        end
        error("module '" .. name .. "' not found:\n\tno field package.preload['" .. name .. "']" .. tried, 2)
      end
      loader = host.chunk(where)
    end
    local value = loader(name, where)
    if value ~= nil then
      package.loaded[name] = value
    elseif package.loaded[name] == nil then
      package.loaded[name] = true
    end
    return package.loaded[name], where
  end
end

-- Each run has tables of its own that begin as these.

local function over(library)
  local function each(own)
    local all = copy(library)
    for name, value in next, own do
      all[name] = value
    end
    return next, all
  end
  return { __index = library, __pairs = each, __metatable = false }
end

local freeswitch = over(host.freeswitch)
-- What closes a coroutine that was stopped can't be stopped itself: it is not closed.
local threads = copy(coroutine)
local create, resume, status, close = coroutine.create, coroutine.resume, coroutine.status, coroutine.close

local function passed(fine, ...)
  if fine then
    return ...
  end
  error((...), 0)
end

function threads.resume(...)
  return told(resume(...))
end
function threads.wrap(work)
  local thread = create(work)
  return function(...)
    return passed(told(resume(thread, ...)))
  end
end
function threads.close(thread)
  if status(thread) == "suspended" then
    return close(thread)
  end
  return true
end

local libraries = {
  string = over(text),
  table = over(tables),
  math = over(maths),
  os = over(system),
  io = over(files),
  coroutine = over(threads),
  utf8 = over(copy(utf8)),
  bit32 = over(bits),
  debug = over(debugging),
}

for name, library in next, libraries do
  makers[name] = function()
    return setmetatable({}, library)
  end
end

local texts = getmetatable("")
texts.__metatable, texts.__index = false, text
getmetatable(io.stdout).__metatable = false

function makers.string()
  local own = setmetatable({}, libraries.string)
  texts.__index = own
  return own
end

function makers.freeswitch()
  return setmetatable({}, freeswitch)
end

function makers.package()
  local package = {
    loaded = { freeswitch = env.freeswitch, _G = env },
    preload = {},
    path = host.path,
    cpath = host.cpath,
    config = "/\n;\n?\n!\n-\n",
    searchpath = searchpath,
  }
  for name in next, libraries do
    package.loaded[name] = env[name]
  end
  package.loaded.package = package
  return package
end

function makers.require()
  return requirer(env.package)
end

function makers._G()
  return env
end

local function make(_, name)
  local maker = makers[name]
  local value = maker and maker()
  env[name] = value
  return value
end

setmetatable(base, { __index = make })
setmetatable(env, shape)

-- More names than these leave a table behind that the next run would have to pay for.
local MANY = 1000

return env, function()
  trace = nil
  texts.__index = text
  local left = 0
  for name in next, env do
    env[name] = nil
    left = left + 1
  end
  if left > MANY then
    host.spend()
  end
end
